"""Slots: which comes next, and how many lie between two moments."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from apscheduler.triggers.date import DateTrigger
from apscheduler.triggers.interval import IntervalTrigger
from hypothesis import given
from hypothesis import strategies as st

from janitor.jobs import schedules
from janitor.jobs.slots import Slots, next_slot, slots_between

LONDON = ZoneInfo("Europe/London")
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


@given(MOMENTS, st.sampled_from(["*/7 * * * *", "30 1 * * *", "15 */3 * * 1-5", "0 2 1 * *"]), st.integers(0, 5000))
def test_cron_slots_equal_a_walk_over_each_minute(start: datetime, fields: str, minutes: int) -> None:
    trigger = schedules.parse(f"cron {fields}", UTC, "X")
    until = start + timedelta(minutes=minutes)
    minute = start.replace(second=0, microsecond=0)
    due = []
    while (minute := minute + timedelta(minutes=1)) <= until:
        if all(
            str(value) in _values(field, value) for field, value in zip(fields.split(), _parts(minute), strict=True)
        ):
            due.append(minute)
    expected = Slots(due[0], due[-1], len(due)) if due else None
    assert slots_between(trigger, start, until) == expected


def _parts(moment: datetime) -> tuple[int, ...]:
    return moment.minute, moment.hour, moment.day, moment.month, moment.isoweekday() % 7


def _values(field: str, value: int) -> set[str]:
    """The values that a cron field matches, for the few fields of this test."""
    if field.startswith("*"):
        return {str(value)} if value % int(field.partition("/")[2] or 1) == 0 else set()
    first, _, last = field.partition("-")
    return {str(number) for number in range(int(first), int(last or first) + 1)}


@pytest.mark.parametrize(
    ("evening", "fields", "slots"),
    [
        # Autumn: 01:30 comes twice. Spring: 01:30 does not come, and APScheduler takes the moment after the gap.
        (datetime(2026, 10, 24, 20, tzinfo=UTC), "30 1 * * *", ["00:30", "01:30"]),
        (datetime(2026, 3, 28, 20, tzinfo=UTC), "30 1 * * *", ["01:30"]),
        (datetime(2026, 10, 24, 20, tzinfo=UTC), "0 3 * * *", ["03:00"]),
        (datetime(2026, 3, 28, 20, tzinfo=UTC), "0 3 * * *", ["02:00"]),
    ],
)
def test_the_nights_of_changed_clocks_in_london(evening: datetime, fields: str, slots: list[str]) -> None:
    trigger = schedules.parse(f"cron {fields}", LONDON, "X")
    found, at = [], evening
    while (at := next_slot(trigger, at) or at) < evening + timedelta(hours=14):
        found.append(at.strftime("%H:%M"))
    assert found == slots
    between = slots_between(trigger, evening, evening + timedelta(hours=14))
    assert between is not None and between.count == len(slots)


def test_the_clock_and_the_count_agree_on_changed_clocks() -> None:
    trigger = schedules.parse("cron */20 * * * *", LONDON, "X")
    for start in (datetime(2026, 10, 24, 20, tzinfo=UTC), datetime(2026, 3, 28, 20, tzinfo=UTC)):
        fired, slot = [], trigger.get_next_fire_time(None, start + timedelta(microseconds=1))
        while slot.astimezone(UTC) <= start + timedelta(hours=12):
            fired.append(slot.astimezone(UTC))
            slot = trigger.get_next_fire_time(slot, slot)
        found = slots_between(trigger, start, start + timedelta(hours=12))
        assert found == Slots(fired[0], fired[-1], len(fired)) and found.count == 36


def test_a_date_is_due_once_and_never_again() -> None:
    at = datetime(2026, 7, 1, 12, tzinfo=UTC)
    trigger = DateTrigger(at, timezone=UTC)
    assert slots_between(trigger, at - timedelta(hours=1), at) == Slots(at, at, 1)
    assert next_slot(trigger, at) is None
    assert slots_between(trigger, at, at + timedelta(days=1)) is None


def test_an_interval_keeps_to_its_start_and_its_end() -> None:
    start, end = datetime(2026, 7, 1, tzinfo=UTC), datetime(2026, 7, 1, 0, 25, tzinfo=UTC)
    trigger = IntervalTrigger(minutes=10, start_date=start, end_date=end, timezone=UTC)
    found = slots_between(trigger, start - timedelta(days=3), end + timedelta(days=3))
    assert found == Slots(start, start + timedelta(minutes=20), 3)
    assert next_slot(trigger, end) is None
