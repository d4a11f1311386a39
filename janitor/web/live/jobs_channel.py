"""The channel of all jobs: the newest record of each, whether it is paused, and how many notices are open.

It tells, too, in which pipelines items have moved.
"""

from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import Connection, func, select

from janitor.state import job_records, notices, recent
from janitor.state.item_tables import item_counts
from janitor.web.live.channel import Channel


class JobsChannel(Channel):
    """All jobs, for all who watch them."""

    def __init__(self, jobs: Collection[str]) -> None:
        """`jobs` are the ids; the collection may change later."""
        super().__init__()
        self._jobs = jobs
        self.states: dict[str, tuple[int, dict[str, Any]]] = {}
        """Each job's state, with the version in which it last changed."""
        self.open_notices = 0
        self._items: dict[str, tuple[int, tuple[int, int]]] = {}
        """The mark of each pipeline's counts, with the version in which it last changed."""

    def read(self, connection: Connection) -> Any:
        """The newest record of each job, the records of jobs, how many notices are open, and the marks of counts."""
        found = recent.newest(connection, list(self._jobs), 1)
        return found, job_records.all_jobs(connection), notices.count_open(connection), _marks(connection)

    def take(self, found: Any) -> bool:
        """Keep what was read."""
        newest, records, opened, marks = found
        differs = opened != self.open_notices or not self.states
        self.open_notices = opened
        for pipeline, mark in marks.items():
            if pipeline not in self._items or self._items[pipeline][1] != mark:
                self._items[pipeline], differs = (self.version + 1, mark), True
        for job in list(self._jobs):
            state = _state(newest.get(job, ()), records.get(job))
            if job not in self.states or self.states[job][1] != state:
                self.states[job], differs = (self.version + 1, state), True
        return bool(differs)

    def changed_since(self, version: int) -> Mapping[str, Any]:
        """The states of the jobs that changed after a version."""
        return {job: state for job, (at, state) in self.states.items() if at > version}

    def moved_since(self, version: int) -> list[str]:
        """The pipelines in which items came, moved or went after a version."""
        return sorted(name for name, (at, _) in self._items.items() if at > version)


def _marks(connection: Connection) -> dict[str, tuple[int, int]]:
    """What tells, by pipeline, that its counts have changed: another mark than before."""
    last, number = func.max(item_counts.c.id), func.count()
    query = select(item_counts.c.pipeline, last.label("last"), number.label("number")).group_by(item_counts.c.pipeline)
    return {row.pipeline: (int(row.last), int(row.number)) for row in connection.execute(query)}


def _state(newest: Any, record: Any) -> dict[str, Any]:
    row = newest[0] if newest else None
    return {
        "run": row.id if row else None,
        "outcome": (row.outcome or "running") if row else None,
        "at": (row.ended_at or row.started_at) if row else None,
        "seconds": row.seconds if row else None,
        "slots": row.slots if row else None,
        "paused": record is not None and record.paused_at is not None,
    }
