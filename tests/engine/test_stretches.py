"""Stretches: which slots of those that came due together still run."""

from datetime import datetime, timedelta, timezone

import pytest

from janitor.engine.stages import Slot
from janitor.engine.stretches import before_last, share
from janitor.jobs import schedules
from janitor.jobs.job import CatchUp
from janitor.jobs.slots import Slots
from tests.small_engine import job_of

NOON = datetime(2026, 3, 2, 12, tzinfo=timezone.utc)
HOUR = timedelta(hours=1)
THREE = Slots(NOON - 2 * HOUR, NOON, 3)


@pytest.mark.parametrize(
    ("catch_up", "late_minutes", "missed", "runs"),
    [
        ("last", 59, 2, True),
        ("none", 1, 2, True),
        ("none", 2, 3, False),
    ],
)
def test_every_slot_is_missed_except_a_last_that_may_run(
    catch_up: CatchUp, late_minutes: int, missed: int, runs: bool
) -> None:
    job = job_of(print, catch_up=catch_up, late_seconds=90)
    before = before_last(job.trigger, THREE)
    assert before == Slots(NOON - 2 * HOUR, NOON - HOUR, 2)
    late = NOON + timedelta(minutes=late_minutes)
    shared = share(job, THREE, before, now=late, why="asleep", origin="catch_up")
    assert shared.missed is not None
    assert (shared.missed.first_at, shared.missed.slots, shared.missed.reason) == (NOON - 2 * HOUR, missed, "asleep")
    assert shared.runs == (Slot(NOON, "catch_up") if runs else None)


def test_of_one_slot_none_is_missed_if_it_runs() -> None:
    job, one = job_of(print), Slots(NOON, NOON, 1)
    assert before_last(schedules.every(3600), one) is None
    shared = share(job, one, None, now=NOON, why="asleep", origin="schedule")
    assert shared.missed is None and shared.runs == Slot(NOON)
