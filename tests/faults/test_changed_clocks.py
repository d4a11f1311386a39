"""Both nights of a year on which clocks change: no slot is lost, and none comes twice."""

from datetime import UTC, datetime, timedelta
from random import Random
from zoneinfo import ZoneInfo

import pytest
from apscheduler.triggers.base import BaseTrigger

import run
from janitor.jobs.slots import next_slot, slots_between
from janitor.settings import Settings
from tests.cron_walk import MINUTE, changes
from tests.faults.schedule_rule import due

ZONES = ("Europe/London", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe")
OVERRIDES = (
    "cron 0 1 * * *",
    "cron 30 1 * * *",
    "cron 0 2 * * *",
    "cron 15 2 * * *",
    "cron 0 3 * * *",
    "cron */20 * * * *",
    "cron 15 * * * *",
    "cron 30 0-4 * * *",
    "cron 45 1 * * 0",
    "cron 59 23 * * *",
    "cron 0 0 * * *",
    "every 7m",
    "every 90s",
)


def fired(trigger: BaseTrigger, start: datetime, end: datetime, chance: Random) -> list[datetime]:
    """Return when the daemon runs a job in (start, end]: its first slot, then APScheduler's steps, each late."""
    found = []
    at = next_slot(trigger, start)
    while at is not None and at <= end:
        found.append(at)
        late = timedelta(milliseconds=chance.choice((0, 1, 30, 900)))
        at = trigger.get_next_fire_time(at.astimezone(getattr(trigger, "timezone", UTC)), at + late).astimezone(UTC)
    return found


def jobs_of_run(zone: str, schedule: str | None) -> dict[str, BaseTrigger]:
    """Return the jobs of run.py, with their own schedules or with this schedule."""
    in_zone = {"SCHEDULE_TIMEZONE": zone}
    names = run.build(Settings.load(in_zone, None)).jobs
    schedules = {} if schedule is None else {f"{name.upper()}_SCHEDULE": schedule for name in names}
    jobs = run.build(Settings.load(in_zone | schedules, None)).jobs
    return {name: job.trigger for name, job in jobs.items()}


def planned(zone: str) -> list[tuple[str, BaseTrigger, datetime]]:
    """List each job of run.py on each night of changed clocks: by its own schedule, and by each of OVERRIDES."""
    nights = changes(ZoneInfo(zone), 2026)
    assert len(nights) == 2
    schedules_of = {None: jobs_of_run(zone, None)} | {text: jobs_of_run(zone, text) for text in OVERRIDES}
    assert all(len(triggers) >= 4 for triggers in schedules_of.values())
    return [
        (f"{job} {text or 'as in run.py'} on {night}", trigger, night)
        for text, triggers in schedules_of.items()
        for job, trigger in (triggers if text is None else dict([*triggers.items()][:1])).items()
        for night in nights
    ]


@pytest.mark.parametrize("zone", ZONES)
def test_on_nights_of_changed_clocks_no_slot_is_lost(zone: str) -> None:
    """Given: a zone, and each schedule on both nights of a year on which clocks change.

    Happens: the clock goes through the day; time is computed, nothing is waited for.
    Must hold: the daemon runs exactly the slots of the rule, and counts as many.
    """
    for what, trigger, night in planned(zone):
        start, end = around(night)
        expected = due(trigger, ZoneInfo(zone), start, end)
        assert fired(trigger, start, end, Random(what)) == expected, what
        counted = slots_between(trigger, start, end)
        assert (counted.count if counted else 0) == len(expected), what


@pytest.mark.parametrize("zone", ZONES)
def test_a_restart_on_such_a_night_loses_no_slot(zone: str, whole: bool) -> None:
    """Given: the same nights, and a daemon that dies within two hours of the change.

    Happens: a daemon leads again up to two hours later.
    Must hold: each slot of the night is run once, or owed once.
    """
    for what, trigger, night in planned(zone):
        chance, expected = Random(what), due(trigger, ZoneInfo(zone), *around(night))
        for _ in range(20 if whole else 2):
            dies = night + timedelta(seconds=chance.uniform(-7200, 7200))
            leads = dies + timedelta(seconds=chance.uniform(0, 7200))
            check_restart(trigger, expected, night, dies, leads)


def test_a_restart_just_after_the_hour_left_out_loses_no_slot() -> None:
    night = datetime(2026, 3, 29, 1, 0, tzinfo=UTC)
    trigger = jobs_of_run("Europe/London", "cron 30 1 * * *")["labware_location"]
    expected = due(trigger, ZoneInfo("Europe/London"), *around(night))
    check_restart(trigger, expected, night, night - MINUTE, night + 10 * MINUTE)


def check_restart(
    trigger: BaseTrigger, expected: list[datetime], night: datetime, dies: datetime, leads: datetime
) -> None:
    """A daemon that dies and leads again later runs or owes each slot of the night once."""
    start, end = around(night)
    before = fired(trigger, start, dies, Random(str(dies)))
    owed = slots_between(trigger, before[-1] if before else start, leads)
    lost = [at for at in expected if owed and owed.first_at <= at <= owed.last_at]
    assert len(lost) == (owed.count if owed else 0), (trigger, dies, leads)
    assert before + lost + fired(trigger, leads, end, Random(str(leads))) == expected, (trigger, dies, leads)


def around(night: datetime) -> tuple[datetime, datetime]:
    """Return the beginning and end of a day in whose middle clocks change."""
    return night - timedelta(hours=11, seconds=30), night + timedelta(hours=25)
