"""Whether all that Janitor needs from outside is there, one finding after another; nothing is changed."""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from sqlalchemy import update

from janitor import databases
from janitor.checks.database import of_database
from janitor.checks.finding import Finding, note, ok, wrong
from janitor.checks.required import missing
from janitor.errors import JanitorError
from janitor.jobs.job import Job
from janitor.needs import DatabaseNeed, ExchangeNeed
from janitor.settings.settings import Settings
from janitor.state import State
from janitor.state.tables import leases


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
        if getattr(settings, setting.lower()) is not None:
            yield from of_database(settings, need, names)
    for setting, names in _exchanges(wanted).items():
        if settings.messages_dir is not None or settings.rabbitmq_host is not None:
            yield from of_exchange(settings, setting, names, declare)


def of_state(settings: Settings) -> Iterator[Finding]:
    """The state database: reachable, of this release's schema or empty, and writable."""
    url = settings.state_database_url
    where = f"STATE_DATABASE_URL: the state database at {databases.place(url)}"
    if databases.family(url) == "sqlite" and url.database and not Path(url.database).exists():
        if (obstacle := _obstacle(Path(url.database))) is not None:
            yield wrong(f"{where} cannot be made, as {obstacle}: let Janitor's user write there, or give another path")
        else:
            yield ok(f"{where} is not there yet; the first start makes it")
        return
    state = State(url, settings.connect_timeout_seconds)
    try:
        version = state.version()
        if version is None:
            yield ok(f"{where} is empty; the first start makes its tables")
            return
        state.migrate()
        with state.begin() as connection:
            connection.execute(update(leases).where(leases.c.name == "").values(holder=None))
        yield ok(f"{where} can be read and written, schema {state.version()}")
    except JanitorError as exc:
        yield wrong(f"STATE_DATABASE_URL: {exc}")
    finally:
        state.close()


def of_exchange(settings: Settings, setting: str, jobs: str, declare: bool) -> Iterator[Finding]:
    """The exchange that a setting names, or the folder that stands in for it."""
    # Pika takes a sixth of a second to import.
    from janitor.publisher.folder import check_folder
    from janitor.rabbitmq.connection import declare_exchange, inspect_exchange

    try:
        if settings.messages_dir is not None:
            said = check_folder(settings.messages_dir)
            yield ok(f"MESSAGES_DIR: the folder {settings.messages_dir} for messages {said} ({jobs})")
            return
        exchange = str(getattr(settings, setting.lower()))
        if declare:
            declare_exchange(settings, exchange)
        said = inspect_exchange(settings, exchange)
        place = f"{settings.rabbitmq_host}:{settings.rabbitmq_port}, virtual host {settings.rabbitmq_vhost!r}"
        yield ok(f"{setting}: exchange {exchange!r} at RabbitMQ {place}: {said} ({jobs})")
    except JanitorError as exc:
        yield wrong(f"{'MESSAGES_DIR' if settings.messages_dir is not None else setting}: {exc}")


def _heartbeat(path: Path) -> Iterator[Finding]:
    if (obstacle := _obstacle(path)) is not None:
        yield wrong(f"HEARTBEAT_FILE: {path} cannot be written, as {obstacle}: let Janitor's user write there")
    else:
        yield ok(f"HEARTBEAT_FILE: {path} can be written")


def _obstacle(path: Path) -> str | None:
    """What keeps a file from being made or written; None where nothing does."""
    if path.exists():
        return None if path.is_file() and os.access(path, os.W_OK) else f"{path} is not a file that may be written"
    folder = next(parent for parent in path.absolute().parents if parent.exists())
    return None if folder.is_dir() and os.access(folder, os.W_OK | os.X_OK) else f"nothing may be made in {folder}"


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


def _exchanges(jobs: Iterable[Job]) -> dict[str, str]:
    names: dict[str, list[str]] = {}
    for job in jobs:
        for need in job.needs:
            if isinstance(need, ExchangeNeed):
                names.setdefault(need.setting, []).append(job.id)
    return {setting: ", ".join(jobs_of) for setting, jobs_of in names.items()}
