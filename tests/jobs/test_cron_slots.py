"""The slots of cron lines, each day and on each night of changed clocks: those that a walk over the minutes finds."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from apscheduler.triggers.cron import CronTrigger

from janitor.jobs.cron_lines import cron_trigger
from janitor.jobs.cron_slots import CronSlots
from janitor.jobs.slots import MOMENT, Slots
from tests.cron_walk import Line, changes, walk, within

DAY = timedelta(days=1)
BERLIN = ZoneInfo("Europe/Berlin")
LINES = [
    Line(text)
    for text in (
        "* * * * *",
        "*/15 * * * *",
        "0 * * * *",
        "20 * * * *",
        "0 0 * * *",
        "30 0 * * *",
        "30 1 * * *",
        "15 2 * * *",
        "59 23 * * *",
        "*/20 1-3 * * *",
        "0 */2 * * *",
        "0 3 * * 1-5",
        "0 0 * * 0",
        "0 2 1 * *",
        "30 0,2 30 * *",
        "0 12 29 2 *",
    )
]
DENSE = 3
"""So many of these lines have too many slots for each to be asked for singly."""
ZONES = (
    "Africa/Casablanca",
    "America/Caracas",
    "America/Havana",
    "America/New_York",
    "America/Sao_Paulo",
    "America/St_Johns",
    "Antarctica/Troll",
    "Asia/Beirut",
    "Asia/Gaza",
    "Asia/Kathmandu",
    "Asia/Pyongyang",
    "Asia/Tehran",
    "Atlantic/Azores",
    "Australia/Lord_Howe",
    "Europe/Berlin",
    "Europe/Dublin",
    "Europe/London",
    "Europe/Moscow",
    "Pacific/Apia",
    "Pacific/Chatham",
)
"""Shifts of half an hour, one hour, two hours and a day; at midnight and at one minute past it; twice and four times a
year; for good; and a zone without any."""


def compare(zone: ZoneInfo, start: datetime, end: datetime) -> None:
    """Make sure that each line has the slots of the walk: singly, and counted from day to day."""
    for line, slots in zip(LINES, walk(LINES, zone, start, end), strict=True):
        trigger = cron_trigger(line.text, zone)
        if line not in LINES[:DENSE]:
            assert singly(trigger, start, end) == slots, (line.text, zone, start)
        after = start
        while after < end:
            until = min(after + DAY, end)
            expected = counted(within(slots, after, until))
            assert trigger.slots_between(after, until) == expected, (line.text, zone, after)
            after = until
        assert trigger.slots_between(start, end) == counted(slots), (line.text, zone, start)


def singly(trigger: CronSlots, start: datetime, end: datetime) -> list[datetime]:
    """The slots in (start, end], one after another."""
    found, slot = [], trigger.slot_after(start)
    while slot is not None and slot <= end:
        found.append(slot)
        slot = trigger.slot_after(slot)
    return found


def counted(slots: Sequence[datetime]) -> Slots | None:
    """A list of slots as a stretch."""
    return Slots(slots[0], slots[-1], len(slots)) if slots else None


@pytest.mark.slow
@pytest.mark.parametrize("name", ZONES)
def test_slots_around_each_change_of_clocks(name: str) -> None:
    zone = ZoneInfo(name)
    for change in (change for year in (2007, 2011, 2016) for change in changes(zone, year)):
        compare(zone, change - timedelta(hours=26, seconds=30), change + timedelta(hours=27))


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("name", ZONES)
def test_slots_of_ten_years(name: str) -> None:
    compare(ZoneInfo(name), datetime(2007, 1, 1, tzinfo=UTC), datetime(2017, 1, 1, tzinfo=UTC))


@pytest.mark.parametrize(
    ("line", "zone", "after", "slots"),
    [
        # The midnight slot of the day after spring's change, which APScheduler's trigger never comes to.
        ("0 0 * * *", "Europe/Berlin", "2026-03-29T12:00Z", ["03-30 00:00", "03-31 00:00"]),
        ("0 0 * * 1", "Europe/Berlin", "2026-03-29T12:00Z", ["03-30 00:00", "04-06 00:00"]),
        ("0 0 30 * *", "Europe/Berlin", "2026-03-29T12:00Z", ["03-30 00:00", "04-30 00:00"]),
        # Left out in spring: once, at the first moment after the gap.
        ("30 2 * * *", "Europe/Berlin", "2026-03-28T12:00Z", ["03-29 03:00", "03-30 02:30"]),
        ("0,20,40 2 * * *", "Europe/Berlin", "2026-03-28T12:00Z", ["03-29 03:00", "03-30 02:00"]),
        ("0 2,3 * * *", "Europe/Berlin", "2026-03-28T12:00Z", ["03-29 03:00", "03-30 02:00"]),
        ("15 2 * * *", "Australia/Lord_Howe", "2026-10-03T12:00Z", ["10-04 02:30", "10-05 02:15"]),
        ("0 0 * * *", "America/Havana", "2026-03-07T12:00Z", ["03-08 01:00", "03-09 00:00"]),
        ("0 9 30 12 *", "Pacific/Apia", "2011-12-01T12:00Z", ["12-31 00:00", "12-30 09:00"]),
        # Twice in autumn: once, at its first coming; an interval at each real quarter or hour.
        ("30 2 * * *", "Europe/Berlin", "2026-10-24T12:00Z", ["10-25 02:30", "10-26 02:30"]),
        ("0 * * * *", "Europe/Berlin", "2026-10-24T23:30Z", ["10-25 02:00", "10-25 02:00", "10-25 03:00"]),
        ("*/30 * * * *", "Europe/Berlin", "2026-10-25T00:10Z", ["10-25 02:30", "10-25 02:00", "10-25 02:30"]),
    ],
)
def test_nights_of_changed_clocks(line: str, zone: str, after: str, slots: list[str]) -> None:
    trigger, at = cron_trigger(line, ZoneInfo(zone)), datetime.fromisoformat(after)
    for expected in slots:
        slot = trigger.slot_after(at)
        assert slot is not None and slot.astimezone(ZoneInfo(zone)).strftime("%m-%d %H:%M") == expected
        at = slot


def test_fields_of_apscheduler_s_trigger_go_through_the_calendar() -> None:
    # A year, a week, a weekday's place in its month and seconds, each on the day after spring's change.
    for fields in ({"year": 2026, "month": 3, "day": 30}, {"week": 14, "day_of_week": 0}, {"day": "last mon"}):
        trigger = CronSlots(CronTrigger(hour=0, second="10,50", timezone=BERLIN, **fields))
        start = datetime(2026, 3, 29, 12, tzinfo=UTC)
        first = datetime(2026, 3, 29, 22, 0, 10, tzinfo=UTC)
        if fields.get("year"):
            assert trigger.slot_after(start + 30 * DAY) is None
        assert singly(trigger, start, start + DAY)[:2] == [first, first + timedelta(seconds=40)]
        assert trigger.slots_between(start, start + DAY) == Slots(first, first + timedelta(minutes=59, seconds=40), 120)


def test_a_line_keeps_to_its_start_and_its_end() -> None:
    start, end = datetime(2026, 3, 29, 0, 30, tzinfo=UTC), datetime(2026, 3, 30, 22, tzinfo=UTC)
    trigger = CronSlots(CronTrigger(hour=0, start_date=start, end_date=end, timezone=BERLIN))
    slots = [datetime(2026, 3, 29, 22, tzinfo=UTC), end]
    assert singly(trigger, start - 9 * DAY, end + 9 * DAY) == slots
    assert trigger.slots_between(start - 9 * DAY, end + 9 * DAY) == Slots(slots[0], slots[1], 2)
    assert trigger.slots_between(end, end + DAY) is None


def test_the_clock_steps_over_years_at_once() -> None:
    # Given: a line for each minute, and a clock that stood still for three years. What happens: APScheduler asks when
    # to act next. What must hold: it gets the newest slot, then the slot after it; and the count is whole.
    trigger = cron_trigger("* * * * *", BERLIN)
    stopped, now = datetime(2023, 11, 28, 12, tzinfo=UTC), datetime(2026, 11, 28, 12, 0, 30, tzinfo=UTC)
    newest = now.replace(second=0)
    assert trigger.get_next_fire_time(stopped, now) == newest
    assert trigger.get_next_fire_time(newest, now) == newest + timedelta(minutes=1)
    assert trigger.slots_between(stopped, now) == Slots(stopped + timedelta(minutes=1), newest, 1096 * 1440)
    assert trigger.get_next_fire_time(None, newest) == newest
    assert trigger.get_next_fire_time(None, newest + MOMENT) == newest + timedelta(minutes=1)
