"""Schedules in plain English; a schedule without plain words is shown as it stands."""

from datetime import datetime, timezone
from zoneinfo import ZoneInfo

import pytest
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.date import DateTrigger
from apscheduler.triggers.interval import IntervalTrigger

from janitor.jobs import schedules
from janitor.jobs.schedule_in_english import in_english

LONDON = ZoneInfo("Europe/London")


@pytest.mark.parametrize(
    ("schedule", "words"),
    [
        ("every 5m", "every 5 minutes"),
        ("every 1h", "every hour"),
        ("every 36h", "every 36 hours"),
        ("every 2d", "every 2 days"),
        ("every 90s", "every 90 seconds"),
        ("every 0.25s", "every 0.25 seconds"),
        ("cron * * * * *", "every minute"),
        ("cron */15 * * * *", "every 15 minutes"),
        ("cron 7-59/10 * * * *", "every 10 minutes, from :07"),
        ("cron */7 * * * *", "cron */7 * * * * (Europe/London)"),
        ("cron */10 8-17 * * *", "every 10 minutes from 08:00 to 17:50 (Europe/London)"),
        ("cron 0 * * * *", "every hour"),
        ("cron 20 * * * *", "every hour at :20"),
        ("cron 5 */6 * * *", "every 6 hours at :05 (Europe/London)"),
        ("cron 30 8-17 * * mon-fri", "every hour from 08:30 to 17:30 from Monday to Friday (Europe/London)"),
        ("cron 0 1 * * *", "at 01:00 every day (Europe/London)"),
        ("cron 0,30 1,13 * * *", "at 01:00, 01:30, 13:00 and 13:30 every day (Europe/London)"),
        ("cron 0 9 * * 1-5", "at 09:00 from Monday to Friday (Europe/London)"),
        ("@weekly", "at 00:00 on Sunday (Europe/London)"),
        ("cron 0 9 * * 0,3", "at 09:00 on Wednesday and Sunday (Europe/London)"),
        ("cron 15 4 1,15 * *", "at 04:15 on day 1 and 15 of the month (Europe/London)"),
        ("cron 0 0 last 6,12 *", "at 00:00 on the last day of the month in June and December (Europe/London)"),
    ],
)
def test_a_schedule_is_said_as_people_say_it(schedule: str, words: str) -> None:
    assert in_english(schedules.parse(schedule, LONDON, "X")) == words


def test_other_triggers_have_words_too() -> None:
    at = datetime(2026, 3, 2, 14, 5, tzinfo=timezone.utc)
    assert in_english(DateTrigger(at, timezone.utc)) == "once, at 14:05:00 on 2026-03-02 (UTC)"
    assert (
        in_english(CronTrigger(hour=2, minute=0, second=30, timezone=LONDON)) == "at 02:00:30 every day (Europe/London)"
    )
    assert in_english(CronTrigger(year=2027, timezone=LONDON)).startswith("cron year=2027")
    second_monday = CronTrigger(hour=8, minute=0, day="2nd mon", timezone=LONDON)
    assert in_english(second_monday) == "cron 0 8 2nd mon * * (Europe/London)"
    assert in_english(CronTrigger(day_of_week=0, hour=2, timezone=LONDON)) == "at 02:00 on Monday (Europe/London)"
    assert in_english(IntervalTrigger(hours=3, timezone=timezone.utc)) == "every 3 hours"
