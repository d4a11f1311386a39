"""Whether all that Janitor needs from outside is there, one finding after another; nothing is changed."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from janitor.checks.database import of_database
from janitor.checks.exchange import exchanges_of, of_exchange
from janitor.checks.finding import Finding, note, ok, wrong
from janitor.checks.required import missing
from janitor.checks.state import obstacle_to, of_state
from janitor.jobs.job import Job
from janitor.needs import DatabaseNeed
from janitor.settings.settings import Settings


def findings(
    settings: Settings,
    jobs: Iterable[Job],
    unknown: Iterable[str] = (),
    *,
    everything: bool = False,
    declare: bool = False,
) -> Iterator[Finding]:
    """Look at what the enabled jobs need, or with `everything` all jobs; each finding as soon as it is known.

    `unknown` are sentences on variables that name no job. With `declare` an exchange that is missing is made.
    """
    jobs = list(jobs)
    wanted = [job for job in jobs if job.enabled or everything]
    yield ok(f"settings: {len(jobs)} jobs, {len(wanted)} of them looked at")
    yield from (note(sentence) for sentence in unknown)
    for job in jobs:
        if job not in wanted:
            yield note(f"{job.id} is switched off by {job.disabled_because}: what it needs is not looked at")
    yield from _heartbeat(settings.heartbeat_file)
    yield from of_state(settings)
    yield from (wrong(str(problem)) for problem in missing(settings, wanted))
    for setting, (need, names) in _databases(wanted).items():
        if settings.database(setting) is not None:
            yield from of_database(settings, need, names)
    for setting, names in exchanges_of(wanted).items():
        if settings.messages_dir is not None or settings.rabbitmq_host is not None:
            yield from of_exchange(settings, setting, names, declare)


def _heartbeat(path: Path) -> Iterator[Finding]:
    if (obstacle := obstacle_to(path)) is not None:
        yield wrong(f"HEARTBEAT_FILE: {path} cannot be written, as {obstacle}: let Janitor's user write there")
    else:
        yield ok(f"HEARTBEAT_FILE: {path} can be written")


def _databases(jobs: Iterable[Job]) -> dict[str, tuple[DatabaseNeed, str]]:
    """What all jobs together need of each database, by its setting, and the jobs' names."""
    needs: dict[str, DatabaseNeed] = {}
    names: dict[str, list[str]] = {}
    for job in jobs:
        for need in job.needs:
            if isinstance(need, DatabaseNeed):
                needs[need.setting] = _joined(needs.get(need.setting), need)
                names.setdefault(need.setting, []).append(job.id)
    return {setting: (need, ", ".join(names[setting])) for setting, need in needs.items()}


def _joined(one: DatabaseNeed | None, other: DatabaseNeed) -> DatabaseNeed:
    if one is None:
        return other
    reads, writes = (
        {table: tuple(dict.fromkeys((*first.get(table, ()), *second.get(table, ())))) for table in {**first, **second}}
        for first, second in ((one.reads, other.reads), (one.writes, other.writes))
    )
    return DatabaseNeed(one.setting, reads, writes, {**one.deletes, **other.deletes})
