"""Schedules: texts to triggers and back; bad texts are refused in one sentence."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.date import DateTrigger

from janitor.errors import BadSetting
from janitor.jobs import schedules
from janitor.jobs.slots import next_slot

LONDON = ZoneInfo("Europe/London")


def weekdays(text: str) -> list[str]:
    """The days of one week on which a cron schedule is due."""
    trigger, at, days = schedules.parse(text, UTC, "X"), datetime(2026, 7, 5, tzinfo=UTC), []
    while (at := next_slot(trigger, at) or at) < datetime(2026, 7, 12, tzinfo=UTC):
        days.append(at.strftime("%a"))
    return days


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("every 90s", "every 90s"),
        ("every 300s", "every 5m"),
        ("Every 1.5h", "every 90m"),
        ("every 1000000s", "every 1000000s"),
        ("every 0.25 s", "every 0.25s"),
        ("every 48h", "every 2d"),
        ("cron 0 2 * * *", "cron 0 2 * * *"),
        ("cron */5 1-3 1 jan *", "cron */5 1-3 1 jan *"),
        ("cron 0 2 * * 1-3", "cron 0 2 * * mon,tue,wed"),
    ],
)
def test_a_described_schedule_parses_to_the_same(text: str, told: str) -> None:
    trigger = schedules.parse(text, LONDON, "X")
    assert schedules.describe(trigger) == told
    again = schedules.parse(told, LONDON, "X")
    assert schedules.describe(again) == told
    after = datetime(2026, 7, 1, 0, 0, 1, tzinfo=UTC)
    assert next_slot(again, after) == next_slot(trigger, after)


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
    ],
)
def test_weekdays_are_numbered_as_in_a_crontab(field: str, days: list[str]) -> None:
    assert weekdays(f"cron 0 2 * * {field}") == days


@pytest.mark.parametrize(
    "text",
    [
        "",
        "every",
        "every 5",
        "every 0s",
        "every -5m",
        "every 5 fortnights",
        "every 99999999999999d",
        "cron",
        "cron 0 2 * *",
        "cron 61 * * * *",
        "cron 0 2 * * 8",
        "cron 0 2 * * 5-1",
        "cron */0 * * * *",
        "cron 0 2 1 * 1",
        "cron 0 2 30 2 *",
        "hourly",
    ],
)
def test_a_bad_schedule_is_one_sentence_with_its_name(text: str) -> None:
    with pytest.raises(BadSetting) as caught:
        schedules.parse(text, UTC, "NIGHTLY_SCHEDULE")
    assert str(caught.value).startswith(f"NIGHTLY_SCHEDULE is {text!r}: ")
    assert "give" in str(caught.value) and "\n" not in str(caught.value)


def test_other_triggers_show_themselves() -> None:
    told = schedules.describe(CronTrigger(second="*/10", timezone=UTC))
    assert told.startswith("cron ") and "second=*/10" in told
    assert schedules.describe(DateTrigger(datetime(2026, 7, 1, tzinfo=UTC), timezone=UTC)).startswith("at 2026-07-01")
