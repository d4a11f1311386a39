"""Memories: under which names the task of each job remembers things: the names of cursors, ledgers and quarantines.

    job                  names
    nightly_sync         nightly_sync, lab_rows      its runs have written there, or its feed is called so
    lab_rows_reconcile   the same task's             as both are jobs of one task
    copy                 copy                        a job always has its own id

A name that several jobs have belongs to one of them, its owner, so that what waits in a quarantine is told once.
"""

from collections import Counter
from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, delete, insert, select

from janitor.jobs.job import Job
from janitor.state.tables import cursors, ledger, ledger_entries, memories, quarantine, refusals

_ADDITION = (
    insert(memories)
    .prefix_with("OR IGNORE", dialect="sqlite")
    .prefix_with("IGNORE", dialect="mysql")
    .prefix_with("IGNORE", dialect="mariadb")
)


def remember(connection: Connection, job: str, name: str) -> None:
    """Note that a job's task remembers things under a name. Doing it twice is harmless."""
    connection.execute(_ADDITION, {"job": job, "name": name})


def names_of(connection: Connection, job: str, declared: Sequence[str] = ()) -> list[str]:
    """The names of a job, its own id first; `declared` are those that it has without any run."""
    noted = connection.execute(select(memories.c.name).where(memories.c.job == job).order_by(memories.c.name)).scalars()
    return list(dict.fromkeys((job, *declared, *noted)))


def owners(connection: Connection, jobs: Mapping[str, Job]) -> dict[str, str]:
    """The owner of each name: the job of that id, if there is such a job; else the first job that has the name."""
    noted: dict[str, list[str]] = {}
    for row in connection.execute(select(memories)):
        noted.setdefault(row.job, []).append(row.name)
    found = {job: job for job in jobs}
    for job in jobs.values():
        for name in (*job.memories, *noted.get(job.id, ())):
            found.setdefault(name, job.id)
    return found


def by_owner(counts: Mapping[str, int], owner: Mapping[str, str]) -> dict[str, int]:
    """Counts of names as counts of their owners; what nobody owns keeps its name."""
    found = Counter[str]()
    for name, count in counts.items():
        found[owner.get(name, name)] += count
    return dict(found)


def is_in_use(connection: Connection, name: str) -> bool:
    """Whether anything is kept under a name."""
    for table in (cursors, quarantine, ledger_entries, ledger, refusals):
        if connection.execute(select(table.c.name).where(table.c.name == name).limit(1)).scalar() is not None:
            return True
    return False


def hand_over(connection: Connection, old: str, new: str) -> None:
    """Give the names of one job to another; its own id too, if anything is kept under it."""
    names = [name for name in names_of(connection, old) if name != old or is_in_use(connection, old)]
    for name in names:
        remember(connection, new, name)
    connection.execute(delete(memories).where(memories.c.job == old))
