"""A clock that is set while a real daemon runs, and a machine that sleeps: each slot has one outcome."""

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import URL

from janitor.engine.leaps import LEAPT, STOOD_STILL
from janitor.jobs import schedules
from tests.daemons import Daemon, daemons
from tests.faults.machine import HOUR, Machine, needs_faketime
from tests.small_engine import SECOND, check_slots, rows_of


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    """Give a machine with a daemon on it."""
    url = URL.create("sqlite", database=str(tmp_path / "state.db"))
    effects = str(tmp_path / "effects")
    with daemons("tests.faults.effects_daemon", tmp_path, JOBS="2", EFFECTS=effects, STRICT="1") as start:
        made = Machine(start, url, tmp_path)
        yield made
        made.state.close()


@needs_faketime
@pytest.mark.whole_form
def test_a_clock_set_back_and_forward_loses_no_slot(machine: Machine) -> None:
    """Given: a daemon with jobs that are due each second.

    Happens: its clock is set back by an hour, and then right again.
    Must hold: it goes on at once after each change; the hour leapt over is one missed record; no slot runs twice.
    """
    machine.goes_on()
    machine.set(-HOUR)
    machine.goes_on()
    taken_back = [row for row in rows_of(machine.state, "job0") if row.slot_at is None]
    assert len(taken_back) >= 3 and {row.outcome for row in taken_back} == {"succeeded"}
    assert all(row.slots == 0 for row in taken_back)
    assert "the time of day leapt by -3" in machine.daemon.text
    machine.set(0)
    machine.goes_on()
    (missed,) = (row for row in machine.runs() if row.outcome == "missed")
    assert HOUR - 60 < missed.slots < HOUR + 60 and missed.reason == LEAPT
    caught_up = next(row for row in machine.runs() if row.slot_at == missed.slot_until_at + SECOND)
    assert (caught_up.outcome, caught_up.origin) == ("succeeded", "catch_up")
    machine.check()


@needs_faketime
@pytest.mark.slow
def test_a_clock_set_forward_and_back_loses_no_slot(machine: Machine) -> None:
    """Given: a daemon with jobs that are due each second.

    Happens: its clock is set forward by an hour, and then right again.
    Must hold: the hour is one missed record, and after the change back no slot lies in the future.
    """
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
    """Given: a daemon with jobs that are due each second.

    Happens: its clock is set back by five seconds, which is no leap.
    Must hold: no slot runs again, and each has one outcome.
    """
    machine.goes_on()
    machine.set(-5)
    machine.goes_on()
    assert all(row.slot_at is not None for row in rows_of(machine.state, "job0"))
    assert "leapt" not in machine.daemon.text
    machine.check()


@needs_faketime
@pytest.mark.whole_form
def test_a_clock_set_back_while_it_was_down_is_noticed(machine: Machine) -> None:
    """Given: a daemon that ran with its clock 30 hours ahead, and was stopped.

    Happens: the clock is set right, and the daemon starts again.
    Must hold: it says so in its log and goes on at once.
    """
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
    """Given: a daemon with jobs that are due each second.

    Happens: its clock leaps a week ahead.
    Must hold: the week is one missed record, and costs less than 4 s of a processor; listing each slot took 15 s.
    """
    machine.goes_on()
    before, week = processor_seconds(machine.daemon), 7 * 24 * HOUR
    machine.set(week)
    machine.goes_on()
    missed = [row.slots for row in machine.runs() if row.outcome == "missed"]
    assert week - 60 < max(missed) < week + 60
    assert processor_seconds(machine.daemon) - before < 4
    machine.check()


@pytest.mark.slow
@needs_faketime
def test_three_years_asleep_are_one_record(machine: Machine) -> None:
    """Given: a daemon with jobs that are due each second.

    Happens: its clock leaps three years ahead.
    Must hold: the years are one missed record, at little cost, and the job goes on at the new time. Old runs may be
    deleted, since they are older than the history is kept.
    """
    machine.goes_on()
    before, years = processor_seconds(machine.daemon), 3 * 365 * 24 * HOUR
    machine.set(years)
    machine.goes_on()
    assert processor_seconds(machine.daemon) - before < 4
    (missed,) = (row for row in machine.runs() if row.outcome == "missed" and row.slots > HOUR)
    assert years - 60 < missed.slots < years + 60
    caught_up = next(row for row in machine.runs() if row.slot_at > missed.slot_until_at)
    assert (caught_up.slot_at, caught_up.origin) == (missed.slot_until_at + SECOND, "catch_up")
    assert machine.daemon.end() == 0
    check_slots(machine.state, "job0", schedules.every(1))


def processor_seconds(daemon: Daemon) -> float:
    """Return how many seconds of a processor a daemon has used."""
    fields = Path(f"/proc/{daemon.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@pytest.mark.slow
def test_slots_slept_over_are_recorded_once_each(machine: Machine) -> None:
    """Given: a daemon that is frozen with SIGSTOP for some seconds, as on a machine that sleeps.

    Happens: it goes on.
    Must hold: the slots of the sleep are missed, with the reason that it stood still; the last one is caught up, except
    for `strict`.
    """
    machine.goes_on()
    machine.daemon.freeze()
    slept_at = machine.now()
    time.sleep(4.5)
    machine.daemon.send(signal.SIGCONT)
    machine.goes_on()
    asleep = [row for row in machine.runs() if row.outcome == "missed" and row.slot_at > slept_at - 2 * SECOND]
    assert sum(row.slots for row in asleep) >= 3 and {row.slots for row in asleep} != {1}
    assert {row.reason for row in asleep} == {STOOD_STILL}
    caught_up = next(row for row in machine.runs() if row.slot_at == asleep[-1].slot_until_at + SECOND)
    # A run that slept in its middle may still run when the slot comes.
    assert caught_up.outcome == "succeeded" or caught_up.reason.startswith("still running")
    lost = [row for row in machine.runs("strict") if row.outcome == "missed" and row.slot_at > slept_at - 2 * SECOND]
    assert sum(row.slots for row in lost) >= sum(row.slots for row in asleep)
    machine.check()
