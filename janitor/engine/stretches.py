"""Stretches of slots that came due together: which of them are missed, and whether the last still runs."""

from dataclasses import dataclass
from datetime import datetime

from apscheduler.triggers.base import BaseTrigger

from janitor.engine.stages import Slot
from janitor.jobs.job import Job
from janitor.jobs.slots import MOMENT, Slots, slots_between
from janitor.runs import Outcome
from janitor.state.slot_records import LostSlots

# Why slots were missed although a daemon led; `leaps.py` has the reasons of a clock that stood still.
REPLACED = "the jobs were replaced, and no run began meanwhile"
PAST = "the job was not here, or was off, at that moment"
COUNTED = "this daemon had just come to lead, and still counted slots"
AWAY = "the state database was away, and could not tell which slots have an outcome"


@dataclass(frozen=True)
class Share:
    """What becomes of a stretch: `missed` get no run, `runs` still gets its run; either may be None."""

    missed: LostSlots | None
    runs: Slot | None


def share(job: Job, slots: Slots, before: Slots | None, *, now: datetime, why: str, origin: str) -> Share:
    """Every slot is missed except the last, if it may still run.

    `before` is the stretch without its last slot, None if it has no other slot. The last slot runs if the job catches
    up, or if the slot is at most the job's `late_seconds` late.
    """
    runs_last = job.catch_up == "last" or (now - slots.last_at).total_seconds() <= job.late_seconds
    missed = before if runs_last else slots
    lost = None
    if missed is not None:
        lost = LostSlots(job.id, missed.first_at, missed.last_at, missed.count, Outcome.MISSED, why, job.trigger)
    return Share(missed=lost, runs=Slot(slots.last_at, origin) if runs_last else None)


def before_last(trigger: BaseTrigger, slots: Slots) -> Slots | None:
    """A stretch of a trigger's slots without its last slot; None if it has no other slot."""
    if slots.count == 1:
        return None
    found = slots_between(trigger, slots.first_at, slots.last_at - MOMENT)
    return Slots(slots.first_at, slots.first_at if found is None else found.last_at, slots.count - 1)
