"""Cron lines: each field is read as a crontab reads it, and shown so that it means the same."""

from datetime import UTC, datetime
from typing import Any

import pytest
from apscheduler.triggers.cron import CronTrigger
from hypothesis import given
from hypothesis import strategies as st

from janitor.jobs.cron_lines import cron_line, cron_trigger, require_slots
from janitor.jobs.cron_slots import CronSlots
from tests.cron_walk import Line, numbers

SUNDAY = datetime(2026, 7, 5, tzinfo=UTC)
PARTS = {
    "minute": ["*", "0", "59", "5-10", "*/7", "3/20", "10-50/15", "1,2,30-40"],
    "hour": ["*", "0", "23", "8-17", "*/5", "2,14"],
    "day": ["*", "1", "30", "1-7", "*/10", "15,30"],
    "month": ["*", "1", "jan", "jan-mar", "*/4", "feb,11", "Jun-Dec"],
}


def weekdays(trigger: CronSlots) -> list[str]:
    """The days of one week on which a trigger is due."""
    days, slot = [], trigger.slot_after(SUNDAY)
    while slot is not None and (slot - SUNDAY).days < 7:
        days.append(slot.strftime("%a"))
        slot = trigger.slot_after(slot)
    return days


@pytest.mark.parametrize(
    ("field", "days"),
    [
        ("0", ["Sun"]),
        ("7", ["Sun"]),
        ("1", ["Mon"]),
        ("1-5", ["Mon", "Tue", "Wed", "Thu", "Fri"]),
        ("5-7", ["Sun", "Fri", "Sat"]),
        ("*/2", ["Sun", "Tue", "Thu", "Sat"]),
        ("2/2", ["Tue", "Thu", "Sat"]),
        ("mon,3", ["Mon", "Wed"]),
        ("fri-sat", ["Fri", "Sat"]),
        ("fri-sun", ["Sun", "Fri", "Sat"]),
        ("sun-tue", ["Sun", "Mon", "Tue"]),
        ("mon-fri/2", ["Mon", "Wed", "Fri"]),
        ("SAT", ["Sat"]),
    ],
)
def test_weekdays_are_numbered_as_in_a_crontab(field: str, days: list[str]) -> None:
    trigger = cron_trigger(f"0 2 * * {field}", UTC)
    assert weekdays(trigger) == days
    assert weekdays(cron_trigger(cron_line(trigger), UTC)) == days


@pytest.mark.parametrize(
    ("given_", "line", "days"),
    [
        (0, "0 2 * * mon", ["Mon"]),
        ("0-4", "0 2 * * mon-fri", ["Mon", "Tue", "Wed", "Thu", "Fri"]),
        ("*/2", "0 2 * * mon,wed,fri,sun", ["Sun", "Mon", "Wed", "Fri"]),
        ("2/3", "0 2 * * wed,sat", ["Wed", "Sat"]),
        ("6", "0 2 * * sun", ["Sun"]),
        ("sat,sun", "0 2 * * sat,sun", ["Sun", "Sat"]),
    ],
)
def test_apscheduler_s_numbers_of_weekdays_are_shown_by_name(given_: Any, line: str, days: list[str]) -> None:
    trigger = CronSlots(CronTrigger(hour=2, day_of_week=given_, timezone=UTC))
    assert (cron_line(trigger), weekdays(trigger)) == (line, days)
    assert weekdays(cron_trigger(line, UTC)) == days


def test_what_five_fields_cannot_say_is_shown_by_name() -> None:
    for fields, line in (
        ({"hour": 2, "second": 30}, "hour=2 minute=* second=30"),
        ({"day": 13, "day_of_week": 4, "hour": 0}, "day=13 day_of_week=fri hour=0 minute=0 second=0"),
        ({"week": "2-50/2", "day_of_week": "mon"}, "week=2-50/2 day_of_week=mon hour=0 minute=0 second=0"),
    ):
        assert cron_line(CronTrigger(timezone=UTC, **fields)) == line


@given(st.tuples(*(st.sampled_from(parts) for parts in PARTS.values())))
def test_a_line_is_due_as_its_fields_say_and_shown_alike(fields: tuple[str, ...]) -> None:
    text = " ".join((*fields, "*"))
    trigger = cron_trigger(text, UTC)
    slot = trigger.slot_after(SUNDAY)
    assert slot is not None
    line = Line(" ".join((*fields[:3], ",".join(map(str, sorted(month_numbers(fields[3])))), "*")))
    assert line.on(slot.date()) and line.at(slot.hour * 60 + slot.minute)
    again = cron_trigger(cron_line(trigger), UTC)
    assert again.slot_after(SUNDAY) == slot and cron_line(again) == cron_line(trigger)


def month_numbers(field: str) -> set[int]:
    """The months that a field names, also by name."""
    names = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
    for number, name in enumerate(names, 1):
        field = field.lower().replace(name, str(number))
    return numbers(field, 1, 12)


@pytest.mark.parametrize(
    ("line", "right"),
    [
        ("61 * * * *", "the minute '61' cannot be: give 0 to 59, also as 1-5, 1,3 or */2"),
        ("* 24 * * *", "the hour '24' cannot be: give 0 to 23"),
        ("* * 0 * *", "the day of the month '0' cannot be: give 1 to 31, or last"),
        ("* * lastly * *", "the day of the month 'lastly' cannot be"),
        ("* * * jan-foo *", "the month 'jan-foo' cannot be: give 1 to 12, or jan to dec"),
        ("* * * * sunday", "the weekday 'sunday' cannot be: give 0 to 7, or sun to sat"),
        ("* * * * 5-1", "the weekday '5-1' cannot be"),
        ("*/0 * * * *", "the minute '*/0' cannot be"),
        ("*/60 * * * *", "the minute '*/60' cannot be"),
        ("50-59/20 * * * *", "the minute '50-59/20' cannot be"),
        ("5- * * * *", "the minute '5-' cannot be"),
        ("-5 * * * *", "the minute '-5' cannot be"),
        ("1,,2 * * * *", "the minute '' cannot be"),
        ("? * * * *", "the minute '?' cannot be"),
        ("99999999999999999999 * * * *", "the minute '99999999999999999999' cannot be"),
        ("٥ * * * *", "the minute '٥' cannot be"),
        ("* * * *", "a cron line has five fields: give minute, hour, day, month and weekday, not 4"),
        ("0 2 1 * 1", "give either a day of the month or a weekday, and '*' for the other"),
        ("0 0 31 2,4 *", "give a day that some month has: this one never comes"),
    ],
)
def test_a_bad_line_is_told_with_what_would_be_right(line: str, right: str) -> None:
    with pytest.raises(ValueError) as caught:
        cron_trigger(line, UTC)
    assert str(caught.value).startswith(right)


def test_a_line_that_is_over_is_not_one_that_never_comes() -> None:
    require_slots(CronSlots(CronTrigger(year=2020, timezone=UTC)))
    with pytest.raises(ValueError, match="never comes"):
        require_slots(CronSlots(CronTrigger(year=2021, month=2, day=29, timezone=UTC)))
