"""Clocks: both nights of a year on which they change, a clock set while the daemon runs, and a machine asleep."""

import os
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from apscheduler.triggers.base import BaseTrigger
from apscheduler.triggers.interval import IntervalTrigger
from sqlalchemy import URL, Row

import run
from janitor.jobs import schedules
from janitor.jobs.slots import next_slot, slots_between
from janitor.settings import Settings
from tests.daemons import Daemon, daemons
from tests.small_engine import SECOND, check_slots, eventually, migrated, rows_of

# Nights on which clocks change, simulated

ZONES = ("Europe/London", "America/New_York", "Australia/Lord_Howe")
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
    "every 7m",
    "every 90s",
)
MINUTE = timedelta(minutes=1)


def changes(zone: ZoneInfo, year: int) -> list[datetime]:
    """The minutes of a year, UTC, at which a zone's clocks change."""
    at, found = datetime(year, 1, 1, tzinfo=UTC), []
    while at.year == year:
        following = at + timedelta(hours=1)
        if at.astimezone(zone).utcoffset() != following.astimezone(zone).utcoffset():
            before = at.astimezone(zone).utcoffset()
            found.append(
                next(m for m in (at + n * MINUTE for n in range(61)) if m.astimezone(zone).utcoffset() != before)
            )
        at = following
    return found


def due(trigger: BaseTrigger, zone: ZoneInfo, start: datetime, end: datetime) -> list[datetime]:
    """When a schedule is due in (start, end], by walking over it: the rule, told without APScheduler.

    A time of day that comes twice is due twice; one that is left out is due as much later as the clocks were put on,
    but not where the schedule names every hour: then the next hour's is next.
    """
    if isinstance(trigger, IntervalTrigger):
        seconds, first = int(trigger.interval.total_seconds()), int(start.timestamp()) + 1
        every = range(first, int(end.timestamp()) + 1)
        return [datetime.fromtimestamp(one, UTC) for one in every if one % seconds == 0]
    found = set()
    at = start.replace(second=0, microsecond=0)
    while at <= end:
        if matches(trigger, at.astimezone(zone)):
            found.add(at)
        at += MINUTE
    wall = start.astimezone(zone).replace(tzinfo=None, second=0, microsecond=0)
    hourly = schedules.describe(trigger).split()[2] == "*"
    while not hourly and wall <= end.astimezone(zone).replace(tzinfo=None):
        local = wall.replace(tzinfo=zone)
        if local.astimezone(UTC).astimezone(zone).replace(tzinfo=None) != wall and matches(trigger, local):
            found.add(local.astimezone(UTC))
        wall += MINUTE
    return sorted(one for one in found if start < one <= end)


def matches(trigger: Any, local: datetime) -> bool:
    """Whether a cron schedule names this time of day, by its five fields as they are written."""
    numbers = (local.minute, local.hour, local.day, local.month, local.isoweekday() % 7)
    fields = schedules.describe(trigger).split()[1:]
    return all(number in named(field) for number, field in zip(numbers, fields, strict=True))


def named(field: str) -> set[int]:
    """The numbers that a field of the test's schedules names."""
    if field == "sun":
        return {0}
    if field.startswith("*"):
        return set(range(0, 60, int(field.partition("/")[2] or 1)))
    first, _, last = field.partition("-")
    return set(range(int(first), int(last or first) + 1))


def fired(trigger: BaseTrigger, start: datetime, end: datetime, chance: Random) -> list[datetime]:
    """When the daemon runs a job in (start, end]: its first slot as it leads, then APScheduler's steps, each late."""
    found = []
    at = next_slot(trigger, start)
    while at is not None and at <= end:
        found.append(at)
        late = timedelta(milliseconds=chance.choice((0, 1, 30, 900)))
        at = trigger.get_next_fire_time(at.astimezone(getattr(trigger, "timezone", UTC)), at + late).astimezone(UTC)
    return found


def jobs_of_run(zone: str, schedule: str | None) -> dict[str, BaseTrigger]:
    """Each job of run.py with its own schedule, or with one from the environment."""
    environment = {"SCHEDULE_TIMEZONE": zone}
    names = run.build(Settings.load(environment, None)).jobs
    if schedule is not None:
        environment |= {f"{name.upper()}_SCHEDULE": schedule for name in names}
    return {name: job.trigger for name, job in run.build(Settings.load(environment, None)).jobs.items()}


def planned(zone: str) -> list[tuple[str, BaseTrigger, datetime]]:
    """Each job of run.py on each night of changed clocks, by its own schedule and by each of the test's."""
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
    for what, trigger, night in planned(zone):
        start, end = around(night)
        expected = due(trigger, ZoneInfo(zone), start, end)
        assert fired(trigger, start, end, Random(what)) == expected, what
        counted = slots_between(trigger, start, end)
        assert (counted.count if counted else 0) == len(expected), what


@pytest.mark.parametrize("zone", ZONES)
def test_a_restart_on_such_a_night_loses_no_slot(zone: str, whole: bool) -> None:
    for what, trigger, night in planned(zone):
        chance, expected = Random(what), due(trigger, ZoneInfo(zone), *around(night))
        for _ in range(20 if whole else 2):
            dies = night + timedelta(seconds=chance.uniform(-7200, 7200))
            leads = dies + timedelta(seconds=chance.uniform(0, 7200))
            if not night <= leads < night + timedelta(hours=1):
                check_restart(trigger, expected, night, dies, leads)


def test_a_restart_just_after_the_hour_left_out_loses_no_slot() -> None:
    night = datetime(2026, 3, 29, 1, 0, tzinfo=UTC)
    trigger = jobs_of_run("Europe/London", "cron 30 1 * * *")["labware_location"]
    expected = due(trigger, ZoneInfo("Europe/London"), *around(night))
    check_restart(trigger, expected, night, night - MINUTE, night + 10 * MINUTE)


def check_restart(
    trigger: BaseTrigger, expected: list[datetime], night: datetime, dies: datetime, leads: datetime
) -> None:
    """A daemon that dies at a moment, and leads again at a later one, runs or owes each slot of the night once."""
    start, end = around(night)
    before = fired(trigger, start, dies, Random(str(dies)))
    owed = slots_between(trigger, before[-1] if before else start, leads)
    lost = [at for at in expected if owed and owed.first_at <= at <= owed.last_at]
    assert len(lost) == (owed.count if owed else 0), (trigger, dies, leads)
    assert before + lost + fired(trigger, leads, end, Random(str(leads))) == expected, (trigger, dies, leads)


def around(night: datetime) -> tuple[datetime, datetime]:
    """A day in whose middle clocks change."""
    return night - timedelta(hours=11, seconds=30), night + timedelta(hours=13)


# The machine's clock, set while a real daemon runs

LIBRARY = next(
    (
        path
        for path in map(Path, ("/usr/lib", "/usr/lib64", "/usr/local/lib"))
        for path in path.glob("**/libfaketimeMT*")
    ),
    None,
)
needs_faketime = pytest.mark.skipif(LIBRARY is None, reason="libfaketime (Debian's package faketime) is not installed")
HOUR = 3600


class Machine:
    """A daemon on a machine whose clock the test sets; only the time of day is false, sleeping and waiting go on."""

    def __init__(self, start: Callable[..., Daemon], url: URL, folder: Path) -> None:
        self.state, self.url, self.folder = migrated(url), url, folder
        self._start, self._offset = start, folder / "offset"
        self.set(0)
        self.daemon = self.begin()

    def begin(self) -> Daemon:
        """Start the daemon."""
        preload = {"LD_PRELOAD": str(LIBRARY)} if LIBRARY else {}
        fake = {"FAKETIME_TIMESTAMP_FILE": str(self._offset), "FAKETIME_NO_CACHE": "1", "NO_FAKE_STAT": "1"}
        self.daemon = self._start(self.url, **preload, **fake, FAKETIME_DONT_FAKE_MONOTONIC="1")
        return self.daemon

    def set(self, offset: float) -> None:
        """Set its clock so many seconds before or after the true time."""
        self.offset = timedelta(seconds=offset)
        written = self._offset.with_suffix(".new")
        written.write_text(f"{offset:+g}\n", encoding="ascii")
        os.replace(written, self._offset)

    def now(self) -> datetime:
        """What its clock says."""
        return datetime.now(UTC) + self.offset

    def runs(self, job: str = "job0") -> Sequence[Row[Any]]:
        """The rows of a job that have slots, in the order of these."""
        rows = [row for row in rows_of(self.state, job) if row.slot_at is not None]
        return sorted(rows, key=lambda row: row.slot_at)

    def goes_on(self, times: int = 3) -> None:
        """Wait until so many slots that are due from now on have run."""
        since, last = self.now(), max((row.id for row in rows_of(self.state)), default=0)
        eventually(
            lambda: times
            <= sum(row.outcome == "succeeded" and row.slot_at > since and row.id > last for row in self.runs())
        )

    def check(self) -> None:
        """Each slot has one outcome, without a gap, and each run that succeeded had one effect, and no other any."""
        assert self.daemon.end() == 0, self.daemon.text[-2000:]
        for job in ("job0", "job1", "strict"):
            check_slots(self.state, job, schedules.every(1))
        lines = (self.folder / "effects").read_text(encoding="ascii").splitlines()
        acted = Counter(int(line.split()[2]) for line in lines)
        rows = [row for row in rows_of(self.state) if row.job != "scribe"]
        assert {row.outcome for row in rows} <= {"succeeded", "missed", "skipped", "interrupted"}
        assert [row for row in rows if acted.pop(row.id, 0) != (row.outcome == "succeeded")] == []
        assert not acted


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    url = URL.create("sqlite", database=str(tmp_path / "state.db"))
    effects = str(tmp_path / "effects")
    with daemons("tests.faults.effects_daemon", tmp_path, JOBS="2", EFFECTS=effects, STRICT="1") as start:
        made = Machine(start, url, tmp_path)
        yield made
        made.state.close()


@needs_faketime
@pytest.mark.whole_form
def test_a_clock_set_back_and_forward_loses_no_slot(machine: Machine) -> None:
    machine.goes_on()
    machine.set(-HOUR)
    # Its slots lie an hour back now: they run at once, not when that hour is over.
    machine.goes_on()
    taken_back = [row for row in rows_of(machine.state, "job0") if row.slot_at is None]
    assert len(taken_back) >= 3 and {row.outcome for row in taken_back} == {"succeeded"}
    assert all(row.slots == 0 for row in taken_back)
    assert "the time of day leapt by -3" in machine.daemon.text
    machine.set(0)
    machine.goes_on()
    (missed,) = (row for row in machine.runs() if row.outcome == "missed")
    assert HOUR - 60 < missed.slots < HOUR + 60 and "clock was set forward" in missed.reason
    caught_up = next(row for row in machine.runs() if row.slot_at == missed.slot_until_at + SECOND)
    assert (caught_up.outcome, caught_up.origin) == ("succeeded", "catch_up")
    machine.check()


@needs_faketime
def test_a_clock_set_forward_and_back_loses_no_slot(machine: Machine) -> None:
    machine.goes_on()
    machine.set(HOUR)
    machine.goes_on()
    assert any(row.outcome == "missed" and row.slots > HOUR - 60 for row in machine.runs())
    machine.set(0)
    machine.goes_on()
    assert all(row.slot_until_at <= machine.now() + SECOND for row in machine.runs())
    machine.check()


@needs_faketime
@pytest.mark.whole_form
def test_a_clock_set_back_a_little_repeats_nothing(machine: Machine) -> None:
    machine.goes_on()
    machine.set(-5)
    machine.goes_on()
    assert all(row.slot_at is not None for row in rows_of(machine.state, "job0"))
    assert "leapt" not in machine.daemon.text
    machine.check()


@needs_faketime
@pytest.mark.whole_form
def test_a_clock_set_back_while_it_was_down_is_noticed(machine: Machine) -> None:
    machine.set(30 * HOUR)
    machine.goes_on()
    assert machine.daemon.end() == 0
    machine.set(0)
    times = machine.daemon.text.count("leading with")
    machine.begin().says("leading with", times + 1)
    machine.goes_on()
    assert "the clock was set back" in machine.daemon.text
    machine.check()


@pytest.mark.slow
@needs_faketime
def test_a_week_asleep_costs_no_more_than_an_hour(machine: Machine) -> None:
    machine.goes_on()
    before, week = processor_seconds(machine.daemon), 7 * 24 * HOUR
    machine.set(week)
    machine.goes_on()
    missed = [row.slots for row in machine.runs() if row.outcome == "missed"]
    assert week - 60 < max(missed) < week + 60
    # To list each slot of three jobs took fifteen seconds of a processor.
    assert processor_seconds(machine.daemon) - before < 4
    machine.check()


def processor_seconds(daemon: Daemon) -> float:
    """How long a process has been at work."""
    fields = Path(f"/proc/{daemon.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


# A machine asleep


def test_slots_slept_over_are_recorded_once_each(machine: Machine) -> None:
    machine.goes_on()
    machine.daemon.send(signal.SIGSTOP)
    slept_at = machine.now()
    time.sleep(4.5)
    machine.daemon.send(signal.SIGCONT)
    machine.goes_on()
    asleep = [row for row in machine.runs() if row.outcome == "missed" and row.slot_at > slept_at - 2 * SECOND]
    assert sum(row.slots for row in asleep) >= 3 and {row.slots for row in asleep} != {1}
    assert all("asleep" in row.reason for row in asleep)
    caught_up = next(row for row in machine.runs() if row.slot_at == asleep[-1].slot_until_at + SECOND)
    # A run that was asleep in its middle may go on while the slot comes.
    assert caught_up.outcome == "succeeded" or caught_up.reason.startswith("still running")
    lost = [row for row in machine.runs("strict") if row.outcome == "missed" and row.slot_at > slept_at - 2 * SECOND]
    assert sum(row.slots for row in lost) >= sum(row.slots for row in asleep)
    machine.check()
