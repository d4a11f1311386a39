"""Triggers of APScheduler: each keeps its meaning, and Janitor finds and counts its slots."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from apscheduler.triggers.base import BaseTrigger
from apscheduler.triggers.combining import AndTrigger, OrTrigger
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.date import DateTrigger
from apscheduler.triggers.interval import IntervalTrigger

from janitor.jobs import schedules
from janitor.jobs.slots import Slots, SlotTrigger, next_slot, slots_between
from janitor.jobs.triggers import KINDS, make, own

START = datetime(2026, 7, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
BERLIN = ZoneInfo("Europe/Berlin")


def made(kind: str, **given: Any) -> BaseTrigger:
    """A trigger by name, as `add_job` makes it."""
    return make(kind, given, lambda: KINDS[kind](**{"timezone": UTC, **given}))


def test_what_a_trigger_says_is_kept() -> None:
    cron = CronTrigger(hour=2, start_date=START, end_date=START + 48 * HOUR, timezone=BERLIN, jitter=5)
    interval = IntervalTrigger(minutes=7, start_date=START, timezone=UTC, jitter=3)
    for theirs in (cron, interval):
        ours = own(theirs)
        assert isinstance(ours, SlotTrigger) and isinstance(ours, type(theirs))
        assert ours.__getstate__() == theirs.__getstate__()
        assert schedules.describe(ours) == schedules.describe(theirs)
    date = DateTrigger(START, UTC)
    assert own(date) is date


def test_either_of_two_schedules() -> None:
    # Intervals and lines, on the night of spring's change, and each common slot once.
    trigger = own(
        OrTrigger([CronTrigger(hour="2,3", timezone=BERLIN), IntervalTrigger(hours=1, start_date=START, timezone=UTC)])
    )
    night = datetime(2026, 3, 28, 23, 30, tzinfo=UTC) + timedelta(days=364)
    assert slots_between(trigger, night, night + 4 * HOUR) is not None
    early = slots_between(trigger, START - 3 * HOUR, START + 2 * HOUR)
    assert early == Slots(START, START + 2 * HOUR, 3)
    assert trigger.get_next_fire_time(START, START + 90 * 24 * HOUR) == START + 90 * 24 * HOUR
    assert next_slot(own(OrTrigger([])), START) is None


def test_both_of_two_schedules() -> None:
    # APScheduler's own looks for ever for the slot after the first.
    trigger = own(AndTrigger([CronTrigger(minute="*/10", timezone=UTC), CronTrigger(hour=2, minute="*", timezone=UTC)]))
    first = START + 2 * HOUR
    assert slots_between(trigger, START, START + 24 * HOUR) == Slots(first, first + timedelta(minutes=50), 6)
    assert trigger.get_next_fire_time(first, first) == first + timedelta(minutes=10)
    never = AndTrigger([CronTrigger(hour=2, timezone=UTC), CronTrigger(hour=3, timezone=UTC)])
    assert next_slot(own(never), START) is None


@pytest.mark.parametrize(
    ("kind", "given", "right"),
    [
        ("interval", {}, "give a length between 0.05 s and ten years, such as minutes=5"),
        ("interval", {"seconds": 0}, "give a length"),
        ("interval", {"seconds": -5}, "give a length"),
        ("interval", {"days": 9999}, "give a length"),
        ("interval", {"seconds": 5, "jitter": -1}, "give a jitter of 0 seconds or more"),
        ("interval", {"seconds": 5, "jitter": "1"}, "give a jitter of 0 seconds or more"),
        ("cron", {}, "give a field, such as hour=2"),
        ("cron", {"month": 2, "day": 30}, "give a day that some month has"),
    ],
)
def test_a_trigger_that_cannot_be_due_is_refused(kind: str, given: Mapping[str, Any], right: str) -> None:
    with pytest.raises(ValueError) as caught:
        made(kind, **given)
    assert str(caught.value).startswith(right)


def test_only_triggers_can_be_combined() -> None:
    with pytest.raises(TypeError, match="give triggers to combine"):
        own(OrTrigger([CronTrigger(hour=2, timezone=UTC), 5]))


def test_a_calendar_interval_keeps_its_slot_when_spring_leaves_it_out() -> None:
    # APScheduler's own drops the day.
    trigger = own(KINDS["calendarinterval"](days=1, hour=2, minute=30, start_date="2026-03-01", timezone=BERLIN))
    found = slots_between(trigger, datetime(2026, 3, 27, 12, tzinfo=UTC), datetime(2026, 3, 30, 12, tzinfo=UTC))
    assert found is not None and found.count == 3
    assert next_slot(trigger, datetime(2026, 3, 28, 12, tzinfo=UTC)) == datetime(2026, 3, 29, 1, tzinfo=UTC)
    assert schedules.describe(trigger).startswith("calendar interval of days=1, time='02:30:00'")
