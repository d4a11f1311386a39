"""Steps from date to date: the dates of APScheduler's own trigger, found and counted from any moment."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from apscheduler.triggers.calendarinterval import CalendarIntervalTrigger

from janitor.jobs.date_steps import DateSteps

START = date(2024, 1, 31)


@pytest.mark.parametrize(
    "steps",
    [{"days": 3}, {"weeks": 2, "hour": 5}, {"months": 1}, {"months": 1, "days": 1}, {"years": 1, "second": 9}],
)
def test_the_dates_are_apscheduler_s(steps: dict[str, Any]) -> None:
    theirs = CalendarIntervalTrigger(start_date=START, end_date=date(2027, 6, 30), timezone=UTC, **steps)
    expected, at = list[datetime](), None
    while (at := theirs.get_next_fire_time(at, datetime(2024, 1, 1, tzinfo=UTC))) is not None:
        expected.append(at.replace(tzinfo=None))
    ours = DateSteps(theirs)
    second, later = timedelta(seconds=1), datetime(2030, 1, 1)
    # From the end on back, so that no question is asked in the order of the dates.
    for place in reversed(range(len(expected))):
        assert ours.first(expected[place] - second) == expected[place]
        assert ours.count(expected[place], later) == len(expected) - place
        assert ours.last(datetime(2024, 1, 1), expected[place] + second) == expected[place]
    assert ours.first(later) is None and ours.last(later, later + second) is None
    assert ours.count(later, datetime(2024, 1, 1)) == 0


def test_a_day_that_is_rare_is_waited_for_but_not_for_ever() -> None:
    leap = DateSteps(CalendarIntervalTrigger(years=1, start_date=date(2096, 2, 29), timezone=UTC))
    assert leap.first(datetime(2097, 1, 1)) == datetime(2104, 2, 29)
    assert leap.first(datetime(9998, 1, 1)) is None
