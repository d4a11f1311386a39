"""Slots that got no run: missed, skipped, or not recordable. Each gets its outcome all the same."""

import functools
from collections.abc import Callable

from sqlalchemy import Connection

from janitor.engine.journal import Journal
from janitor.engine.journal_records import Record, Stretch
from janitor.engine.leadership import Lead
from janitor.engine.observers import Observers
from janitor.runs import Fence, Outcome
from janitor.state import leases, run_records, slot_records
from janitor.state.run_records import Ending
from janitor.state.slot_records import LostSlots


class Losses:
    """Puts lost slots into the journal, and tells the observers of them."""

    def __init__(self, journal: Journal, holder: str, observers: Observers, lead: Callable[[], Lead]) -> None:
        """`lead` tells whether this process leads now: only the leader has a say in slots."""
        self._journal, self._holder, self._observers, self._lead = journal, holder, observers, lead

    def add(self, lost: LostSlots, fences: tuple[Fence, ...] | None = None) -> Record:
        """Put lost slots into the journal without waiting for it; `fences` are those of the leader when None."""
        self._observers.lost(lost)
        under = self._lead().fences if fences is None else fences
        stretch = Stretch(lost)
        write = functools.partial(_write, stretch=stretch, holder=self._holder)
        return self._journal.add(Record(write, under, kept=True, stretch=stretch))

    def record(self, lost: LostSlots, fences: tuple[Fence, ...] | None = None) -> None:
        """Record lost slots now; while the state database is away, they wait in the journal."""
        self._journal.settle(self.add(lost, fences))


def _write(connection: Connection, stretch: Stretch, holder: str) -> None:
    lost = stretch.lost
    if lost.outcome is Outcome.FAILED:
        # The start of a run may be committed although the answer never came.
        begun = run_records.open_runs(connection, lost.job, lost.first_at, lost.last_at, holder)
        for run_id in begun:
            run_records.finish(connection, run_id, Ending(Outcome.FAILED, lost.reason, lost.last_at, 0.0))
        if begun:
            leases.release_of(connection, holder, leases.job_lease(lost.job))
        if len(begun) == lost.slots:
            return
    slot_records.record_lost(connection, lost, holder)
