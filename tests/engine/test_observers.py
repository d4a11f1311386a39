"""Observers: all are told of each run, in the order in which they came."""

import pytest

from janitor.engine.observers import Observers
from janitor.engine.stages import Slot
from janitor.jobs.job import Job
from janitor.loops import Loops
from janitor.runs import Outcome, Run
from janitor.state.run_records import Ending
from janitor.state.slot_records import LostSlots
from tests.small_engine import job_of, now

SLOT, RUN = Slot(now()), Run(id=7, job="task")
ENDING = Ending(Outcome.SUCCEEDED, None, now(), 1.0)
LOST = LostSlots("task", now(), now(), 1, Outcome.MISSED, "asleep")


class Noted:
    """An observer that writes into a list what it is told."""

    def __init__(self, name: str, notes: list[tuple[object, ...]]) -> None:
        self.name, self.notes = name, notes

    def began(self, job: Job, slot: Slot, run: Run) -> None:
        self.notes.append((self.name, "began", job, slot, run))

    def ended(self, job: Job, run: Run, ending: Ending) -> None:
        self.notes.append((self.name, "ended", job, run, ending))

    def lost(self, lost: LostSlots) -> None:
        self.notes.append((self.name, "lost", lost))


class Odd:
    """An observer that fails each time."""

    def began(self, job: Job, slot: Slot, run: Run) -> None:
        raise ValueError("began")

    def ended(self, job: Job, run: Run, ending: Ending) -> None:
        raise MemoryError("ended")

    def lost(self, lost: LostSlots) -> None:
        raise RecursionError("lost")


def test_an_observer_that_fails_is_told_and_keeps_nobody(caplog: pytest.LogCaptureFixture) -> None:
    notes, observers, job = list[tuple[object, ...]](), Observers(), job_of(print)
    for one in (Odd(), Noted("second", notes)):
        observers.append(one)
    observers.began(job, SLOT, RUN)
    observers.ended(job, RUN, ENDING)
    observers.lost(LOST)
    assert [note[1] for note in notes] == ["began", "ended", "lost"]
    told = [record.getMessage() for record in caplog.records]
    assert [text.removeprefix("observers of runs: ").split(" is set aside")[0] for text in told] == [
        "the start of run 7 for Odd",
        "the end of run 7 for Odd",
        "lost slots of task for Odd",
    ]


def test_all_observers_are_told_in_the_order_they_came() -> None:
    notes, observers, job = list[tuple[object, ...]](), Observers(), job_of(print)
    observers.lost(LOST)
    for name in ("first", "second"):
        observers.append(Noted(name, notes))
    observers.began(job, SLOT, RUN)
    observers.ended(job, RUN, ENDING)
    observers.lost(LOST)
    told = (("began", job, SLOT, RUN), ("ended", job, RUN, ENDING), ("lost", LOST))
    assert notes == [(name, *one) for one in told for name in ("first", "second")]


class Raises(Noted):
    """An observer with a mistake in each of its methods."""

    def began(self, job: Job, slot: Slot, run: Run) -> None:
        raise KeyError(job.id)

    def ended(self, job: Job, run: Run, ending: Ending) -> None:
        raise SystemExit(3)

    def lost(self, lost: LostSlots) -> None:
        raise RecursionError


def test_an_observer_that_raises_keeps_no_other_from_being_told(caplog: pytest.LogCaptureFixture) -> None:
    notes, loops, job = list[tuple[object, ...]](), Loops(), job_of(print)
    observers = Observers(loops)
    for observer in (Raises("bad", notes), Noted("good", notes)):
        observers.append(observer)
    observers.began(job, SLOT, RUN)
    observers.lost(LOST)
    assert [note[:2] for note in notes] == [("good", "began"), ("good", "lost")]
    assert (
        "observers of runs: the start of run 7 for Raises is set aside, and the rest goes on: KeyError" in caplog.text
    )
    assert loops.failures == {"observers of runs": 2}
