"""Which runs are deleted by age and number: walks that find them, however long the history is.

    OldRuns        by id, upwards:      goes, goes, stays (a job's newest slot), goes, goes | the newest that is old
    SurplusRuns    job by job, by id:   goes, goes, goes | the newest `keep_runs` stay

A walk goes once along an index, and remembers where it stands: no step reads what an earlier step has read.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy import Connection, Row, select

from janitor.runs import Outcome
from janitor.state import recent
from janitor.state.tables import runs

JOBS = 20
"""So many jobs are looked at in one step."""
_STATE = (runs.c.outcome, runs.c.kept_because.is_not(None).label("is_kept"))


@dataclass(frozen=True)
class Bounds:
    """Which runs may be deleted: ended runs that began `before` a moment, or with `keep_runs` newer runs of their job.

    `jobs` are the only jobs meant; None means all. No run of a job in `without` is deleted, no run in `spared`, and no
    run whose cleanup has failed. Of a job in `needed` the newest success stays, whenever it came. The run with a job's
    newest slot stays, however old: it tells which slots have an outcome.
    """

    before: datetime
    keep_runs: int
    spared: Collection[int] = ()
    jobs: Collection[str] | None = None
    without: Collection[str] = ()
    needed: Collection[str] = ()

    def concern(self, job: str) -> bool:
        """Whether runs of a job may be deleted."""
        return job not in self.without and (self.jobs is None or job in self.jobs)


@dataclass(frozen=True)
class Batch:
    """Runs that may be deleted, by id. If `stay` is given, these are all others between the first and the last."""

    ids: Sequence[int]
    stay: Sequence[int] | None = None


class Runs(Protocol):
    """A walk through runs."""

    def next(self, connection: Connection, most: int) -> Batch | None:
        """Look at up to so many runs; those that may be deleted, which may be none. None once all have been seen."""

    def return_to(self, run: int) -> None:
        """Look again at what came after a run of the last batch: there was no time for it."""


def walks(bounds: Bounds) -> Iterator[Runs]:
    """The walks that find every run that may be deleted."""
    yield OldRuns(bounds, NewestSlots())
    yield SurplusRuns(bounds)


class NewestSlots:
    """The run with the newest slot of each job, looked up once for each job."""

    def __init__(self) -> None:
        """Nothing is looked up yet."""
        self._known: dict[str, int | None] = {}

    def of(self, connection: Connection, jobs: Iterable[str]) -> set[int]:
        """The runs with the newest slots of these jobs. If a newer one has come meanwhile, one more run stays."""
        jobs = set(jobs)
        for job in jobs - self._known.keys():
            self._known[job] = newest_slot(connection, job)
        return {run for job in jobs if (run := self._known[job]) is not None}


class OldRuns:
    """The runs that began too long ago, the oldest records first."""

    def __init__(self, bounds: Bounds, newest: NewestSlots) -> None:
        """Nothing is read yet."""
        self._bounds, self._newest = bounds, newest
        self._after = 0
        self._top: int | None = None

    def next(self, connection: Connection, most: int) -> Batch | None:
        """As `Runs` says."""
        if self._top is None:
            self._top = _newest_below(connection, self._bounds.before)
        query = select(runs.c.id, runs.c.job, runs.c.started_at, *_STATE)
        query = query.where(runs.c.id > self._after, runs.c.id <= self._top).order_by(runs.c.id).limit(most)
        rows = connection.execute(query).all()
        if not rows:
            return None
        self._after = rows[-1].id
        bounds = self._bounds
        kept = self._newest.of(connection, {row.job for row in rows if bounds.concern(row.job)}).union(bounds.spared)
        ids, stay = list[int](), list[int]()
        for row in rows:
            is_old = row.started_at < bounds.before and bounds.concern(row.job)
            (ids if is_old and _may_go(row, kept) else stay).append(row.id)
        return Batch(ids, stay)

    def return_to(self, run: int) -> None:
        """As `Runs` says."""
        self._after = run


class SurplusRuns:
    """The runs that have enough newer ones of their job, job by job."""

    def __init__(self, bounds: Bounds) -> None:
        """Nothing is read yet."""
        self._bounds = bounds
        self._names = None if bounds.jobs is None else iter(sorted(bounds.jobs))
        self._job, self._edge, self._after = "", 0, 0

    def next(self, connection: Connection, most: int) -> Batch | None:
        """As `Runs` says."""
        for _ in range(JOBS):
            if self._edge and (rows := self._below_edge(connection, most)):
                self._after = rows[-1].id
                kept = self._kept(connection)
                return Batch([row.id for row in rows if _may_go(row, kept)])
            name = self._next_name(connection)
            if name is None:
                return None
            self._job, self._after = name, 0
            self._edge = _edge(connection, name, self._bounds.keep_runs) if self._bounds.concern(name) else 0
        return Batch([])

    def return_to(self, run: int) -> None:
        """As `Runs` says."""
        self._after = run

    def _kept(self, connection: Connection) -> Collection[int | None]:
        # Asked anew: a walk may take hours, and both may have come meanwhile, with enough newer runs.
        success = (
            recent.last_with(connection, [self._job], Outcome.SUCCEEDED) if self._job in self._bounds.needed else {}
        )
        return {newest_slot(connection, self._job), *success.values(), *self._bounds.spared}

    def _below_edge(self, connection: Connection, most: int) -> Sequence[Row[Any]]:
        query = select(runs.c.id, *_STATE).where(runs.c.job == self._job)
        query = query.where(runs.c.id > self._after, runs.c.id < self._edge)
        return connection.execute(query.order_by(runs.c.id).limit(most)).all()

    def _next_name(self, connection: Connection) -> str | None:
        """The next job; None after the last."""
        if self._names is not None:
            return next(self._names, None)
        # From job to job along the index: a list of all jobs would read all runs.
        query = select(runs.c.job).where(runs.c.job > self._job).order_by(runs.c.job).limit(1)
        return connection.execute(query).scalar_one_or_none()


def newest_slot(connection: Connection, job: str) -> int | None:
    """The run with a job's newest slot."""
    of_job = select(runs.c.id).where(runs.c.job == job, runs.c.slot_at.is_not(None))
    return connection.execute(of_job.order_by(runs.c.slot_at.desc()).limit(1)).scalar_one_or_none()


def _may_go(row: Row[Any], kept: Collection[int | None]) -> bool:
    return row.outcome is not None and not row.is_kept and row.id not in kept


def _edge(connection: Connection, job: str, keep_runs: int) -> int:
    """The oldest of a job's newest runs, so many; 0 if it has fewer."""
    newest = select(runs.c.id).where(runs.c.job == job).order_by(runs.c.id.desc())
    return connection.execute(newest.offset(keep_runs - 1).limit(1)).scalar_one_or_none() or 0


def _newest_below(connection: Connection, before: datetime) -> int:
    """The newest run that began before a moment; 0 if there is none.

    Lost slots count only if there is nothing else. They may be recorded long after they were due: such records go in a
    later round.
    """
    found = select(runs.c.id).where(runs.c.started_at < before).order_by(runs.c.started_at.desc()).limit(1)
    for query in (found.where(runs.c.attempts > 0), found):
        if (run := connection.execute(query).scalar_one_or_none()) is not None:
            return int(run)
    return 0
