"""The calendar: the moments that match a line, and how many there are, as a walk over each of them finds."""

from datetime import date, datetime, timedelta
from typing import Any

import pytest
from apscheduler.triggers.cron import CronTrigger
from hypothesis import given
from hypothesis import strategies as st

from janitor.jobs.calendar import Calendar, Days, values

LINES: list[dict[str, Any]] = [
    {"hour": "*/5", "minute": "7,50", "second": "*/20"},
    {"day": "last", "hour": 3},
    {"day": "2nd mon,31", "hour": "6,18"},
    {"week": "9-10", "day_of_week": "0,sun", "hour": "*"},
    {"month": "2", "day": "27-31", "hour": 23, "minute": "59", "second": 59},
    {"year": "2024-2026/2", "month": "feb-mar", "hour": 0},
]
MOMENTS = st.datetimes(datetime(2023, 12, 1), datetime(2026, 4, 1))


def calendar_of(line: dict[str, Any]) -> Calendar:
    """The calendar of an APScheduler line."""
    return Calendar(CronTrigger(timezone="UTC", **line).fields)


def moments(line: dict[str, Any], since: datetime, end: datetime) -> list[datetime]:
    """The moments of a line, day by day and second by second of the times that its fields name."""
    fields = {field.name: field for field in CronTrigger(timezone="UTC", **line).fields}
    found, day = [], since.date()
    while day <= end.date():
        at = datetime(day.year, day.month, day.day)
        if all(matches(fields[name], at) for name in ("year", "month", "day", "week", "day_of_week")):
            for hour in values(fields["hour"]) or []:
                for minute in values(fields["minute"]) or []:
                    found += [at.replace(hour=hour, minute=minute, second=s) for s in values(fields["second"]) or []]
        day += timedelta(days=1)
    return [moment for moment in found if since <= moment < end]


def matches(field: Any, at: datetime) -> bool:
    """Whether a field of APScheduler's matches a moment."""
    return bool(field.get_next_value(at) == field.get_value(at))


@given(st.sampled_from(LINES), MOMENTS, st.timedeltas(timedelta(), timedelta(days=200)))
def test_first_last_and_count_are_those_of_a_walk(line: dict[str, Any], since: datetime, length: timedelta) -> None:
    calendar, end = calendar_of(line), since + length
    expected = moments(line, since, end)
    assert calendar.count(since, end) == len(expected)
    assert calendar.last(since, end) == (expected[-1] if expected else None)
    first = calendar.first(since)
    if expected:
        assert first == expected[0]
    else:
        assert first is None or first >= end


def test_what_never_comes_again_is_none() -> None:
    assert calendar_of({"year": 2020, "hour": 2}).first(datetime(2020, 12, 31, 3)) is None
    assert calendar_of({"month": 2, "day": 30}).first(datetime(2020, 1, 1)) is None
    assert calendar_of({"year": 2150, "hour": 2}).first(datetime(2020, 1, 1)) == datetime(2150, 1, 1, 2)
    # The 29th of February is a Monday once in 28 years, and once in 40 years around a year such as 2100.
    leap = calendar_of({"month": 2, "day": 29, "day_of_week": "mon", "hour": 0})
    assert leap.first(datetime(2050, 1, 1)) == datetime(2072, 2, 29)
    assert leap.first(datetime(2072, 3, 1)) == datetime(2112, 2, 29)


def test_whether_a_line_names_every_hour() -> None:
    for hour, every in (("*", True), ("0-23", True), ("*/1", True), ("*/2", False), ("1-23", False)):
        assert calendar_of({"hour": hour}).every_hour is every


@pytest.mark.parametrize("since", [date(2026, 2, 1), date(2026, 2, 28)])
def test_days_are_found_forward_and_back(since: date) -> None:
    days = Days(CronTrigger(timezone="UTC", day="last", hour=0).fields)
    assert days.after(since) == (date(2026, 2, 28) if since.day == 1 else date(2026, 3, 31))
    assert days.before(date(2026, 2, 28), date(2026, 1, 31)) == date(2026, 1, 31)
    assert days.before(date(2026, 2, 28), date(2026, 2, 1)) is None
    assert days.between(date(2026, 1, 31), date(2026, 3, 31)) == 2
