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
    ("text", "meant"),
    [
        ("@daily", "cron 0 0 * * *"),
        ("02:00", "cron 0 2 * * *"),
        ("every 5min", "every 5m"),
        ("daily at 2", "cron 0 2 * * *"),
        ("*/5 8-17 * * mon-fri", "cron */5 8-17 * * mon,tue,wed,thu,fri"),
        ("  cron   0 2 * * *  ", "cron 0 2 * * *"),
    ],
)
def test_what_people_write_is_understood(text: str, meant: str) -> None:
    assert schedules.describe(schedules.parse(text, LONDON, "X")) == meant


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("", "give 'every' and a number with its unit (every 5m)"),
        ("every", "give 'every' and a number"),
        ("every 5", "give a unit too: 'every 5s', 'every 5m', 'every 5h' or 'every 5d'"),
        ("every 0s", "give an interval between 0.05 s and ten years"),
        ("every -5m", "give 'every' and a number"),
        ("every 5 fortnights", "give 'every' and a number"),
        ("every 99999999999999d", "give an interval between"),
        ("cron", "a cron line has five fields: give minute, hour, day, month and weekday, not 0"),
        ("cron 0 2 * *", "a cron line has five fields"),
        ("cron 0 0 2 * * *", "a cron line has five fields"),
        ("cron 61 * * * *", "the minute '61' cannot be: give 0 to 59"),
        ("cron 0 2 * * 8", "the weekday '8' cannot be: give 0 to 7, or sun to sat"),
        ("cron 0 2 1 * 1", "give either a day of the month or a weekday"),
        ("cron 0 2 30 2 *", "give a day that some month has"),
        ("@reboot", "give one of @hourly, @daily"),
        ("daily at 25", "give a time of day from 00:00 to 23:59"),
        ("at 02:00 tomorrow", "give 'every' and a number"),
        ("at 2027-02-30", "give 'every' and a number"),
        ("sometimes", "give 'every' and a number"),
    ],
)
def test_a_bad_schedule_is_one_short_sentence_with_its_name(text: str, right: str) -> None:
    with pytest.raises(BadSetting) as caught:
        schedules.parse(text, UTC, "NIGHTLY_SCHEDULE")
    told = str(caught.value)
    assert told.startswith(f"NIGHTLY_SCHEDULE is {text!r}: {right}")
    assert "\n" not in told and len(told) < 240


def test_a_moment_that_spring_leaves_out_is_the_one_after_it() -> None:
    # 01:30 does not come on this day; 01:30 in autumn comes twice, and the first is meant.
    for text, at in (("2026-03-29T01:30", "2026-03-29T01:00Z"), ("2026-10-25T01:30", "2026-10-25T00:30Z")):
        trigger = schedules.parse(f"at {text}", LONDON, "X")
        assert next_slot(trigger, datetime(2026, 1, 1, tzinfo=UTC)) == datetime.fromisoformat(at)


def test_other_triggers_show_themselves() -> None:
    told = schedules.describe(CronTrigger(second="*/10", timezone=UTC))
    assert told.startswith("cron ") and "second=*/10" in told
    assert schedules.describe(DateTrigger(datetime(2026, 7, 1, tzinfo=UTC), timezone=UTC)).startswith("at 2026-07-01")
