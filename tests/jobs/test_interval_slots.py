"""Intervals: their slots are whole multiples, however long the time between two moments is."""

from datetime import UTC, datetime, timedelta

from apscheduler.triggers.interval import IntervalTrigger
from hypothesis import given
from hypothesis import strategies as st

from janitor.jobs import schedules
from janitor.jobs.interval_slots import IntervalSlots
from janitor.jobs.slots import Slots, next_slot, slots_between

MOMENTS = st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1)).map(lambda naive: naive.replace(tzinfo=UTC))


def test_interval_slots_are_multiples_since_1970() -> None:
    trigger = schedules.parse("every 7m", UTC, "X")
    slot = next_slot(trigger, datetime(2026, 7, 1, 12, 3, 4, 5, tzinfo=UTC))
    assert slot is not None and slot.timestamp() % 420 == 0
    assert timedelta(0) < slot - datetime(2026, 7, 1, 12, 3, 4, 5, tzinfo=UTC) <= timedelta(minutes=7)


@given(MOMENTS, st.floats(0.05, 400_000), st.integers(0, 40), st.floats(0, 1))
def test_interval_slots_equal_counting(start: datetime, seconds: float, count: int, part: float) -> None:
    trigger = schedules.every(round(seconds, 3))
    until = start + (count + part) * trigger.interval
    slots, at = [], start
    while (at := next_slot(trigger, at) or until + timedelta(days=1)) <= until:
        slots.append(at)
        assert (at - schedules.EPOCH) % trigger.interval == timedelta(0)
    assert all(b - a == trigger.interval for a, b in zip(slots, slots[1:], strict=False))
    expected = Slots(slots[0], slots[-1], len(slots)) if slots else None
    assert slots_between(trigger, start, until) == expected


def test_an_interval_keeps_to_its_start_and_its_end() -> None:
    start, end = datetime(2026, 7, 1, tzinfo=UTC), datetime(2026, 7, 1, 0, 25, tzinfo=UTC)
    trigger = IntervalSlots(IntervalTrigger(minutes=10, start_date=start, end_date=end, timezone=UTC))
    found = slots_between(trigger, start - timedelta(days=3), end + timedelta(days=3))
    assert found == Slots(start, start + timedelta(minutes=20), 3)
    assert next_slot(trigger, end) is None


def test_three_years_of_seconds_are_counted_at_once() -> None:
    start, until = datetime(2023, 11, 28, tzinfo=UTC), datetime(2026, 11, 28, 0, 0, 0, 700, tzinfo=UTC)
    for seconds, count in ((1, 1096 * 86400), (0.05, 1096 * 86400 * 20)):
        trigger = schedules.every(seconds)
        length = timedelta(seconds=seconds)
        assert trigger.slots_between(start, until) == Slots(start + length, until.replace(microsecond=0), count)
        assert trigger.get_next_fire_time(start, until) == until.replace(microsecond=0)
