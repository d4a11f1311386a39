"""The daemon: every slot ends in exactly one recorded outcome, and no job waits for another."""

import sqlite3
import threading
import time
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import URL

from janitor.engine.clock import Phase
from janitor.engine.leaps import ASLEEP, STOOD_STILL
from janitor.engine.runner import Runner
from janitor.runs import Outcome
from janitor.scheduler import Scheduler
from janitor.state import job_records
from janitor.state.database import STATEMENT_SECONDS
from janitor.state.shared_clock import SharedClock
from tests.engine.told import Told
from tests.servers import SqlServer
from tests.small_engine import (
    SECOND,
    check_slots,
    ended,
    eventually,
    nothing,
    now,
    outcomes,
    rows_of,
    run_until,
    runner_for,
    settings_for,
    tick,
)

HOUR = timedelta(hours=1)


def test_a_slot_runs_at_its_time(starting: Runner, clock: Scheduler) -> None:
    clock.add_job(nothing, "interval", seconds=1)
    assert tick(clock, starting, ended(starting, "nothing", 3))
    rows = rows_of(starting.state)
    ran = [row for row in rows if row.outcome == "succeeded"]
    # On a busy machine the first run may take longer than a second to begin.
    assert set(outcomes(starting.state)) <= {"succeeded", "skipped"}
    assert all(row.slot_at.microsecond == 0 and row.started_at >= row.slot_at for row in ran)
    assert check_slots(starting.state, "nothing", clock.jobs["nothing"].trigger) == sum(row.slots for row in rows)


def test_a_slow_job_delays_no_other(starting: Runner, clock: Scheduler) -> None:
    let_go = threading.Event()

    def slow() -> None:
        let_go.wait(30)

    clock.add_job(slow, "interval", seconds=1)
    clock.add_job(nothing, "interval", seconds=1)

    def thrice() -> bool:
        so = outcomes(starting.state, "nothing").count("succeeded") >= 3
        if so:
            let_go.set()
        return so

    assert tick(clock, starting, thrice)
    assert outcomes(starting.state, "slow").count("succeeded") == 1
    for job in clock.jobs.values():
        check_slots(starting.state, job.id, job.trigger)


def test_overlap_is_one_record_that_grows(starting: Runner, clock: Scheduler) -> None:
    overlapped = threading.Event()

    def slow() -> None:
        assert overlapped.wait(30)

    def succeeded() -> bool:
        if any(row.outcome == "skipped" and row.slots >= 2 for row in rows_of(starting.state)):
            overlapped.set()
        return outcomes(starting.state).count("succeeded") >= 1

    clock.add_job(slow, "interval", seconds=2)
    assert tick(clock, starting, succeeded)
    row = next(row for row in rows_of(starting.state) if row.outcome == "skipped")
    first = next(row for row in rows_of(starting.state) if row.outcome == "succeeded")
    # On a busy machine the first slot may be skipped before the run is on record and has an id to tell.
    assert row.reason in (f"still running (run {first.id})", "still running")
    assert row.slot_at == first.slot_at + 2 * SECOND
    assert row.slot_until_at == row.slot_at + (row.slots - 1) * 2 * SECOND
    assert check_slots(starting.state, "slow", clock.jobs["slow"].trigger) >= 3


def test_two_hundred_jobs_due_at_once_all_start(database_url: URL, tmp_path: Path) -> None:
    # An open run of every job at the same time: no lane waits for another's end, if so many threads are allowed.
    together, names = threading.Barrier(200), [f"job{number}" for number in range(200)]

    def task() -> None:
        together.wait(60)

    settings = settings_for(database_url, tmp_path, LEASE_SECONDS="30", RUNS_AT_ONCE="200")
    with runner_for(settings, leads=False) as runner:
        clock = Scheduler(runner.settings)
        for name in names:
            clock.add_job(task, "interval", hours=1, id=name)
        assert tick(clock, runner, lambda: len([one for one in outcomes(runner.state) if one]) == 200, 60)
        assert sorted(row.job for row in rows_of(runner.state)) == sorted(names)
        assert set(outcomes(runner.state)) == {"succeeded"}


def test_a_disabled_job_never_runs(starting: Runner, clock: Scheduler) -> None:
    clock.add_job(nothing, "interval", seconds=1, id="off", enabled=False)
    clock.add_job(nothing, "interval", seconds=1, id="held", next_run_time=None)
    clock.add_job(nothing, "interval", seconds=1, id="on")
    assert tick(clock, starting, ended(starting, "on", 2))
    assert outcomes(starting.state, "off") == [] and outcomes(starting.state, "held") == []


def test_a_paused_job_skips_its_slots(starting: Runner, clock: Scheduler) -> None:
    clock.add_job(nothing, "interval", seconds=1)
    with starting.state.begin() as connection:
        job_records.pause(connection, "nothing", "every 1s", now(), "me")
    assert tick(clock, starting, lambda: any(row.slots >= 3 for row in rows_of(starting.state)))
    (row,) = rows_of(starting.state)
    assert (row.outcome, row.reason) == ("skipped", "paused")
    check_slots(starting.state, "nothing", clock.jobs["nothing"].trigger)


def test_slots_slept_over_are_missed_and_the_last_runs(starting: Runner, clock: Scheduler) -> None:
    # Given two hourly jobs whose next slot is the last but three, as after a machine has slept.
    # The clock goes: APScheduler finds four slots due at once.
    # Three are missed and the last runs if the job catches up; if it does not, all four are missed.
    clock.add_job(nothing, "cron", minute=0, id="last")
    clock.add_job(nothing, "cron", minute=0, id="none", catch_up="none", misfire_grace_time=0.5)
    daemon, slept = clock.daemon(starting), list[datetime]()
    hour = now().replace(minute=0, second=0, microsecond=0)

    def sleep_over() -> bool:
        if clock.phase is Phase.GOING and not clock.begins and not slept:
            slept.append(hour - 3 * HOUR)
            for job in clock.jobs:
                clock.set_next(job, slept[0])
            clock.wakeup()
        return ended(starting, "last", 2)() and ended(starting, "none")()

    assert run_until(daemon, sleep_over)
    missed, ran = rows_of(starting.state, "last")
    assert (missed.outcome, missed.slots, missed.slot_at) == ("missed", 3, slept[0]) and missed.reason == STOOD_STILL
    assert (ran.outcome, ran.slot_at) == ("succeeded", hour)
    (lost,) = rows_of(starting.state, "none")
    assert (lost.outcome, lost.slots, lost.slot_until_at) == ("missed", 4, hour)


@pytest.mark.parametrize("hours", [-1, 1])
def test_a_leap_of_the_time_of_day_holds_the_clock(
    hours: int, lite_url: URL, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    # Given a clock that goes, by a time that the test sets. The time leaps by 50 s, and then by an hour, either way.
    # The first is waited out; after the second no slot runs until the slots are counted anew.
    moment = [now().replace(minute=30, second=0, microsecond=0)]
    shared = SharedClock(None, lambda: moment[0])
    with runner_for(settings_for(lite_url, tmp_path), clock=shared) as runner:
        clock = Scheduler(runner.settings)
        clock.add_job(nothing, "cron", minute=0, id="task")
        daemon, phases = clock.daemon(runner), list[Phase]()
        clock.open(daemon.lanes)
        clock.go()
        for seconds in (50, 3600):
            moment[0] += hours * seconds * SECOND
            daemon.tick()
            phases.append(clock.phase)
        daemon.lanes.close()
        clock.close()
        assert phases == [Phase.GOING, Phase.COUNTING] and rows_of(runner.state) == []
    assert f"the time of day leapt by {hours * 3600:+} s" in caplog.text


def test_a_clock_that_leapt_counts_its_slots_anew(starting: Runner, clock: Scheduler) -> None:
    # Given a clock that goes, and is held as after a leap of the time of day. Its job's next slot is far ahead.
    # The loop asks the state database which slots have an outcome, and lets the clock go.
    # The job's next slot is the next after now again.
    clock.add_job(nothing, "cron", minute=0, id="task")
    daemon, held, after = clock.daemon(starting), list[bool](), list[datetime]()

    def hold() -> bool:
        if clock.phase is Phase.GOING and not held:
            clock.set_next("task", now() + 9 * HOUR)
            held.append(clock.hold(ASLEEP))
            clock.wakeup()
        elif held == [True] and clock.phase is Phase.GOING:
            after.append(clock.get_job("task").next_run_time)
        return bool(after)

    assert run_until(daemon, hold)
    assert after[0] <= now() + HOUR


def test_the_clock_goes_on_while_the_state_is_away(mariadb: SqlServer, tmp_path: Path) -> None:
    # Given a job that is due each second. The state database dies after its second run, for three slots.
    # The clock goes on: the slots wait in memory, since no run may begin that is not recorded.
    # Once the database is back, each of them is recorded as failed, with the reason, and the job runs again.
    ran: list[object] = []
    gone: list[int] = []
    told = Told()
    with runner_for(settings_for(mariadb.create_database(), tmp_path, LEASE_SECONDS="30"), leads=False) as runner:
        clock = Scheduler(runner.settings)
        clock.add_job(lambda: ran.append(now()), "interval", seconds=1, id="task")
        runner.observers.append(told)

        def trouble() -> bool:
            if len(ran) == 2 and not gone:
                gone.append(1)
                mariadb.kill()
                eventually(lambda: [lost.outcome for lost in told.slots].count(Outcome.FAILED) >= 3)
                mariadb.start()
            return len(ran) >= 4

        assert tick(clock, runner, trouble, 60)
        rows = rows_of(runner.state)
        failed = [row for row in rows if row.outcome == "failed"]
        assert sum(row.slots for row in failed) >= 3
        assert all("could not be recorded" in row.reason for row in failed)
        assert None not in outcomes(runner.state)
        check_slots(runner.state, "task", clock.jobs["task"].trigger)


def test_the_clock_ticks_while_slots_cannot_be_counted(starting: Runner, clock: Scheduler) -> None:
    # Given a clock that goes. What happens: another process locks the state database, and slots are to be counted anew.
    # What must hold: the clock ticks meanwhile, so that it hears signals and has a heartbeat. It goes once it can.
    clock.add_job(nothing, "cron", minute=0, id="task")
    daemon, held = clock.daemon(starting), list[bool]()
    lock = sqlite3.connect(str(starting.state.url.database), isolation_level=None, check_same_thread=False)

    def ticks() -> bool:
        woken = time.monotonic()
        clock.wakeup()
        time.sleep(0.02)
        silent = daemon.heartbeat.silent_seconds()
        return silent is not None and silent < time.monotonic() - woken and clock.phase is Phase.COUNTING

    def hold() -> bool:
        if clock.phase is Phase.GOING and not held:
            lock.execute("BEGIN IMMEDIATE")
            held.append(clock.hold(ASLEEP))
            try:
                for _ in range(3):
                    # Less than a statement on the state database may take.
                    eventually(ticks, "the clock ticks", STATEMENT_SECONDS / 2)
            finally:
                lock.execute("ROLLBACK")
        return held == [True] and clock.phase is Phase.GOING

    with closing(lock):
        assert run_until(daemon, hold)
