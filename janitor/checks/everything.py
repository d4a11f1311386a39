"""Whether everything that Janitor needs from outside is there, one finding after another; nothing is changed."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from janitor.checks.database import of_database
from janitor.checks.exchange import needs_of, of_exchange
from janitor.checks.feeds import feeds_of, of_feed
from janitor.checks.finding import Finding, note, ok, wrong
from janitor.checks.required import is_usable, missing
from janitor.checks.services import of_service, services_of
from janitor.checks.state import obstacle_to, of_state
from janitor.jobs.job import Job
from janitor.needs import DatabaseNeed
from janitor.settings.paths import shown
from janitor.settings.settings import Settings

Columns = Mapping[str, tuple[str, ...]]


def findings(
    settings: Settings,
    jobs: Iterable[Job],
    unknown: Iterable[str] = (),
    *,
    everything: bool = False,
    declare: bool = False,
) -> Iterator[Finding]:
    """Look at what the enabled jobs need, and yield each finding as soon as it is known.

    With `everything`, the needs of all jobs are looked at. `unknown` are sentences on variables that name no job. With
    `declare`, a missing exchange is made.
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
    usable: set[str] = set()
    of_jobs = _databases(wanted)
    for setting, (need, names) in of_jobs.items():
        if is_usable(settings, need):
            found = list(of_database(settings, need, names))
            yield from found
            if all(finding.verdict != "WRONG" for finding in found):
                usable.add(setting)
    for feed, names in feeds_of(wanted).items():
        # A feed whose database is no need of its own is looked at too.
        if feed.setting in usable or feed.setting not in of_jobs and is_usable(settings, feed):
            yield from of_feed(settings, feed, names)
    for exchange, names in needs_of(wanted).items():
        if settings.messages_dir is not None or settings.rabbitmq_host is not None:
            yield from of_exchange(settings, exchange, names, declare)
    for service, names in services_of(wanted).items():
        if is_usable(settings, service):
            yield from of_service(settings, service, names)


def _heartbeat(path: Path) -> Iterator[Finding]:
    if (obstacle := obstacle_to(path)) is not None:
        yield wrong(f"HEARTBEAT_FILE: {shown(path)} cannot be written, as {obstacle}: let Janitor's user write there")
    else:
        yield ok(f"HEARTBEAT_FILE: {shown(path)} can be written")


def _databases(jobs: Iterable[Job]) -> dict[str, tuple[DatabaseNeed, str]]:
    """What the jobs together need of each database, by its setting, with the jobs' names."""
    needs: dict[str, DatabaseNeed] = {}
    names: dict[str, list[str]] = {}
    for job in jobs:
        for need in job.needs:
            if isinstance(need, DatabaseNeed):
                needs[need.setting] = _joined(needs.get(need.setting), need)
                names.setdefault(need.setting, []).append(job.id)
    return {setting: (need, ", ".join(names[setting])) for setting, need in needs.items()}


def _joined(need: DatabaseNeed | None, other: DatabaseNeed) -> DatabaseNeed:
    if need is None:
        return other
    return DatabaseNeed(
        need.setting,
        reads=_joined_columns(need.reads, other.reads),
        writes=_joined_columns(need.writes, other.writes),
        deletes={**need.deletes, **other.deletes},
        whole_numbers=_joined_columns(need.whole_numbers, other.whole_numbers),
        uses=tuple(dict.fromkeys((*need.uses, *other.uses))),
    )


def _joined_columns(some: Columns, others: Columns) -> Columns:
    """The tables of both, each with all columns that either names."""
    return {name: tuple(dict.fromkeys((*some.get(name, ()), *others.get(name, ())))) for name in {**some, **others}}
