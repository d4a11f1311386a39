"""Identities: schedules with the same slots are one schedule, all others are not."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from apscheduler.triggers.base import BaseTrigger
from apscheduler.triggers.calendarinterval import CalendarIntervalTrigger
from apscheduler.triggers.combining import AndTrigger, OrTrigger
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.interval import IntervalTrigger

from janitor.jobs import identities, schedules
from janitor.jobs.triggers import own

LONDON, BERLIN = ZoneInfo("Europe/London"), ZoneInfo("Europe/Berlin")
AT = datetime(2026, 1, 1, 2, tzinfo=UTC)


def cron(zone: Any = LONDON, **fields: Any) -> BaseTrigger:
    return own(CronTrigger(timezone=zone, **fields))


def text(words: str, zone: Any = LONDON) -> BaseTrigger:
    return schedules.parse(words, zone, "X")


def interval(start: datetime, **length: Any) -> BaseTrigger:
    return own(IntervalTrigger(start_date=start, timezone=UTC, **length))


class OfSomebody(BaseTrigger):  # type: ignore[misc]  # APScheduler 3 has no annotations
    """A trigger that shows where it lies in memory, as objects do."""

    def get_next_fire_time(self, previous_fire_time: datetime | None, now: datetime) -> datetime | None:
        return None


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (cron(hour=14), text("cron 0 14 * * *")),
        (cron(hour=14, jitter=60), text("14:00")),
        (text("cron */15 * * * *"), text("cron 0,15,30,45 * * * *")),
        (text("cron 0-30/10 1-3 * jan-mar *"), text("cron 0,10,20,30 1,2,3 * 1,2,3 *")),
        (text("cron 0 2 * * 1-5"), cron(hour="02", day_of_week="mon-fri")),
        (text("cron 0 2 * * *", ZoneInfo("US/Eastern")), text("cron 0 2 * * *", ZoneInfo("America/New_York"))),
        (text("02:00", UTC), text("02:00", ZoneInfo("Etc/UTC"))),
        (text("every 24h"), interval(datetime(2026, 5, 5, tzinfo=UTC), days=1)),
        (interval(AT, days=1), interval(AT + timedelta(days=40), hours=24)),
        (interval(AT, days=1), own(IntervalTrigger(days=1, start_date=AT, end_date=AT + timedelta(9), timezone=UTC))),
        (text("at 2026-07-01T10:00", LONDON), text("at 2026-07-01T11:00+02:00")),
        (OfSomebody(), OfSomebody()),
    ],
)
def test_other_words_for_the_same_slots_are_the_same(one: BaseTrigger, other: BaseTrigger) -> None:
    assert identities.is_same(identities.identity(one), other)
    assert identities.is_same(identities.identity(other), one)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (text("cron 0 14 * * *", LONDON), text("cron 0 14 * * *", BERLIN)),
        (text("cron 0 14 * * *", LONDON), text("cron 0 14 * * *", UTC)),
        (text("cron 0 2 * * 1-5"), text("cron 0 2 1-5 * *")),
        (cron(hour=2, day="2nd mon"), cron(hour=2, day="3rd mon")),
        (cron(hour=2, day="last"), cron(hour=2, day="28-31")),
        (cron(second="*/10"), text("cron * * * * *")),
        (cron(hour=2, week="*/2"), cron(hour=2)),
        (interval(AT, days=1), interval(AT + timedelta(hours=12), days=1)),
        (interval(AT, days=1), text("every 1d")),
        (text("at 2026-07-01T10:00", LONDON), text("at 2026-07-01T10:00", BERLIN)),
        (own(OrTrigger([cron(), cron(hour=2)])), own(OrTrigger([cron(), cron(BERLIN, hour=2)]))),
        (own(OrTrigger([cron(hour=2), cron(hour=3)])), own(AndTrigger([cron(hour=2), cron(hour=3)]))),
        (
            own(CalendarIntervalTrigger(months=1, hour=2, start_date=AT.date(), timezone=LONDON)),
            own(CalendarIntervalTrigger(months=1, hour=2, start_date=AT.date(), timezone=BERLIN)),
        ),
        (text("after"), text("by hand")),
    ],
)
def test_schedules_with_other_slots_are_not_the_same(one: BaseTrigger, other: BaseTrigger) -> None:
    assert not identities.is_same(identities.identity(one), other)
    assert not identities.is_same(identities.identity(other), one)


def test_what_an_earlier_release_remembered_is_the_same() -> None:
    for trigger in (text("cron */15 * * * *"), text("at 2026-07-01T10:00", LONDON), text("every 5m")):
        assert identities.is_same(schedules.describe(trigger), trigger)


def test_a_long_schedule_has_an_identity_that_fits() -> None:
    many = [own(OrTrigger([cron(hour=hour, minute=minute) for hour in range(9)])) for minute in (1, 2)]
    one, other = map(identities.identity, many)
    assert len(one) == len(other) == identities.LONGEST and one != other


@pytest.mark.parametrize("known", ["", "cron 0 14 * * * in ../etc/passwd", "cron 0 14 * * * in Mars/Base", "x in "])
def test_what_is_no_schedule_is_another(known: str) -> None:
    assert not identities.is_same(known, text("cron 0 14 * * *", UTC))
