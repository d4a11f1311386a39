"""Slot records.

Given: a job that is due every minute, and slots without an outcome.
What happens: some slots are lost for a reason, and in some the job runs.
What must hold: slots lost in a row for one reason are one record; no record spans a run or another reason.
"""

from datetime import datetime

import pytest
from apscheduler.triggers.base import BaseTrigger

from janitor.errors import Rejected
from janitor.jobs import schedules
from janitor.runs import Outcome
from janitor.state import State, job_records, slot_records
from janitor.state.slot_records import LostSlots
from tests.small_engine import rows_of
from tests.state.history import MINUTE, NOW, begin


def lose(state: State, first: int, last: int, reason: str = "still running (run 1)", outcome: str = "skipped") -> None:
    """Lose the slots of some minutes of the hour."""
    moments, kind = (NOW + first * MINUTE, NOW + last * MINUTE), Outcome(outcome)
    slots = LostSlots("a", *moments, last - first + 1, kind, reason, schedules.every(60))
    with state.begin() as connection:
        slot_records.record_lost(connection, slots, "me")


def stretches(state: State) -> list[tuple[int, int, int]]:
    """The first and last minute and the count of each record, in the order of slots."""
    rows = sorted((row for row in rows_of(state) if row.slot_at), key=lambda row: row.slot_at)
    return [((row.slot_at - NOW) // MINUTE, (row.slot_until_at - NOW) // MINUTE, row.slots) for row in rows]


def test_a_stretch_that_goes_on_grows(state: State) -> None:
    begin(state, slot=NOW)
    lose(state, 1, 1)
    lose(state, 2, 2)
    lose(state, 3, 5)
    assert stretches(state) == [(0, 0, 1), (1, 5, 5)]


def test_a_stretch_ends_before_a_missing_slot(state: State) -> None:
    lose(state, 1, 1)
    lose(state, 3, 3)
    lose(state, 4, 4)
    lose(state, 2, 2, "the run could not be recorded", "failed")
    assert stretches(state) == [(1, 1, 1), (2, 2, 1), (3, 4, 2)]


@pytest.mark.parametrize(("reason", "outcome"), [("still running (run 2)", "skipped"), ("asleep", "missed")])
def test_another_reason_is_another_record(state: State, reason: str, outcome: str) -> None:
    lose(state, 1, 2)
    lose(state, 3, 3, reason, outcome)
    assert stretches(state) == [(1, 2, 2), (3, 3, 1)]


def test_a_stretch_never_spans_what_ran_between(state: State) -> None:
    # Recorded late: the run of minute 3 is on record before the slot lost at minute 2.
    lose(state, 1, 1)
    begin(state, slot=NOW + 3 * MINUTE)
    lose(state, 2, 2)
    lose(state, 4, 4)
    assert stretches(state) == [(1, 1, 1), (2, 2, 1), (3, 3, 1), (4, 4, 1)]


def test_a_stretch_never_spans_two_schedules(state: State) -> None:
    # Given: a job that is paused. Happens: it gets another schedule, whose next slot follows the last slot of the old.
    for minute, schedule in ((0, "every 2m"), (5, "every 1m")):
        with state.begin() as connection:
            job_records.remember(connection, {"a": (schedule, True)}, NOW + minute * MINUTE)
        lose(state, minute + 1, minute + 1, "paused")
        lose(state, minute + 2, minute + 2, "paused")
        lose(state, minute + 3, minute + 5, "paused")
    assert stretches(state) == [(1, 5, 5), (6, 10, 5)]


def test_the_first_slots_of_a_stretch_may_have_an_outcome_by_now(state: State) -> None:
    # Given: a slot that waited for a thread. Happens: slots are counted as lost from that slot on; it began meanwhile.
    # Must hold: it keeps its run, and all others have an outcome. What is recorded a second time changes nothing.
    begin(state, slot=NOW + MINUTE)
    lose(state, 1, 4)
    assert stretches(state) == [(1, 1, 1), (2, 4, 3)]
    lose(state, 2, 4, "the same again")
    lose(state, 1, 3, "and again")
    assert stretches(state) == [(1, 1, 1), (2, 4, 3)]
    lose(state, 1, 6, "asleep")
    lose(state, 3, 3, "late")
    assert stretches(state) == [(1, 1, 1), (2, 4, 3), (5, 6, 2)]


def test_a_stretch_that_is_recorded_again_changes_nothing(state: State) -> None:
    # The answer to the first time was lost.
    lose(state, 1, 2)
    lose(state, 3, 3)
    for first, last in ((3, 3), (2, 3), (1, 3)):
        lose(state, first, last)
    assert stretches(state) == [(1, 3, 3)]
    lose(state, 2, 5)
    assert stretches(state) == [(1, 5, 5)]


def test_slots_in_the_middle_of_a_stretch_keep_their_outcome(state: State) -> None:
    # The start of the run of minute 3 was recorded, and its answer was lost.
    begin(state, slot=NOW + 3 * MINUTE)
    lose(state, 5, 6, "asleep", "missed")
    lose(state, 1, 8)
    assert stretches(state) == [(1, 2, 2), (3, 3, 1), (4, 4, 1), (5, 6, 2), (7, 8, 2)]
    lose(state, 1, 8, "and again")
    assert len(stretches(state)) == 5


def test_a_first_slot_between_two_of_the_schedule_counts_too(state: State) -> None:
    begin(state, slot=NOW + 2 * MINUTE)
    moments = NOW + 0.5 * MINUTE, NOW + 3 * MINUTE
    lost = LostSlots("a", *moments, 4, Outcome.MISSED, "asleep", schedules.every(60))
    with state.begin() as connection:
        slot_records.record_lost(connection, lost, "me")
    assert stretches(state) == [(0, 1, 2), (2, 2, 1), (3, 3, 1)]


def test_a_single_slot_with_an_outcome_is_refused(state: State) -> None:
    begin(state, slot=NOW + MINUTE)
    with pytest.raises(Rejected):
        lose(state, 1, 1)
    assert stretches(state) == [(1, 1, 1)]


def test_any_slots_of_a_stretch_may_have_an_outcome_by_now(state: State) -> None:
    # Given: runs and lost slots, on record in any order. Happens: a stretch over all of them is lost.
    # Must hold: each keeps its outcome, and each slot between has one.
    begin(state, slot=NOW + 3 * MINUTE)
    begin(state, slot=NOW + 4 * MINUTE)
    lose(state, 6, 7)
    lose(state, 1, 9, "asleep", "missed")
    assert stretches(state) == [(1, 2, 2), (3, 3, 1), (4, 4, 1), (5, 5, 1), (6, 7, 2), (8, 9, 2)]
    lose(state, 0, 9, "again", "missed")
    assert stretches(state)[0] == (0, 0, 1) and len(stretches(state)) == 7


def test_the_last_slots_have_an_outcome_or_a_run(state: State) -> None:
    begin(state, slot=NOW)
    lose(state, 1, 7)
    begin(state, "b", None)
    begin(state, "c", NOW)
    begin(state, "of no daemon", NOW)
    with state.begin() as connection:
        job_records.remember(connection, {job: ("every 1m", True) for job in ("a", "b", "c", "new")}, NOW)
        assert slot_records.last_slots(connection) == {"a": NOW + 7 * MINUTE, "c": NOW}


def test_more_slots_than_the_column_holds_are_recorded_as_its_most(state: State) -> None:
    # A job of every twentieth of a second, and no daemon for many years.
    most = slot_records.MOST_SLOTS
    for first, slots in ((1, most + 5), (2, most)):
        at, later = NOW + first * MINUTE, NOW + (first + 0.5) * MINUTE
        lost = LostSlots("a", at, later, slots, Outcome.MISSED, "asleep")
        with state.begin() as connection:
            slot_records.record_lost(connection, lost, "me")
    (row,) = rows_of(state)
    assert (row.slots, row.slot_until_at) == (most, NOW + 2.5 * MINUTE)


class Failing(BaseTrigger):  # type: ignore[misc]  # APScheduler 3 has no annotations
    """A job's own trigger, that cannot tell its slots."""

    def get_next_fire_time(self, previous_fire_time: datetime | None, now: datetime) -> datetime | None:
        raise OSError("the calendar of holidays is away")


def test_a_trigger_that_raises_keeps_no_slot_off_the_record(state: State) -> None:
    for minute in (1, 2):
        at = NOW + minute * MINUTE
        with state.begin() as connection:
            slot_records.record_lost(connection, LostSlots("a", at, at, 1, Outcome.SKIPPED, "paused", Failing()), "me")
    assert stretches(state) == [(1, 1, 1), (2, 2, 1)]
