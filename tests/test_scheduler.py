"""The clock: every slot ends in exactly one recorded outcome, and no job waits for another."""

import logging
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from apscheduler.jobstores.base import ConflictingIdError
from apscheduler.triggers.date import DateTrigger
from sqlalchemy import URL

from janitor.engine import lanes
from janitor.engine.runner import Runner
from janitor.engine.stages import Slot
from janitor.errors import BadSetting
from janitor.jobs.slots import next_slot, slots_between
from janitor.runs import current_run
from janitor.scheduler import Scheduler
from janitor.settings import Settings
from janitor.state import job_records
from tests.servers import SqlServer
from tests.small_engine import (
    SECOND,
    check_slots,
    eventually,
    now,
    outcomes,
    remember,
    remember_run,
    rows_of,
    run_until,
    runner_for,
    settings_for,
    tick,
)


@pytest.fixture
def url(tmp_path: Path) -> URL:
    return URL.create("sqlite", database=str(tmp_path / "state.db"))


@pytest.fixture
def runner(url: URL, tmp_path: Path) -> Iterator[Runner]:
    with runner_for(settings_for(url, tmp_path), leads=False) as made:
        yield made


@pytest.fixture
def clock(runner: Runner) -> Scheduler:
    return Scheduler(runner.settings)


def nothing() -> None:
    pass


def scheduler_with(**environ: str) -> Scheduler:
    return Scheduler(Settings.load(environ, None))


def ended(runner: Runner, job: str, count: int = 1) -> Callable[[], bool]:
    """Whether a job has so many records that are closed."""
    return lambda: len([one for one in outcomes(runner.state, job) if one]) >= count


# What add_job says


def test_add_job_keeps_apscheduler_s_signature() -> None:
    scheduler = scheduler_with()
    scheduler.add_job(nothing, "interval", None, None, "by_place", "A name", seconds=90)
    scheduler.add_job("tests.test_scheduler:nothing", "cron", hour=2, day_of_week="mon", id="by_text")
    scheduler.add_job(nothing, DateTrigger(datetime(2030, 1, 1, tzinfo=UTC)), id="by_trigger", coalesce=True)
    scheduler.add_job(nothing, "every 5m", id="in_words", max_instances=1)
    told = {job.id: (job.schedule, job.func) for job in scheduler.jobs.values()}
    assert told == {
        "by_place": ("every 90s", nothing),
        "by_text": ("cron 0 2 * * mon", nothing),
        "by_trigger": ("at 2030-01-01T00:00:00+00:00", nothing),
        "in_words": ("every 5m", nothing),
    }


def test_a_job_has_an_hour_no_retries_and_catches_up() -> None:
    scheduler = scheduler_with()
    scheduler.add_job(nothing, "interval", hours=1)
    job = scheduler.jobs["nothing"]
    assert (job.timeout, job.retries, job.catch_up, job.isolation) == (3600, 0, "last", "thread")


def test_the_scheduled_job_decorator_makes_a_job() -> None:
    scheduler = scheduler_with()
    scheduler.scheduled_job("interval", id="decorated", seconds=5)(nothing)
    assert scheduler.jobs["decorated"].schedule == "every 5s"


@pytest.mark.parametrize(
    ("options", "right"),
    [
        ({"timeout": 0}, "timeout of job nothing is '0': give a number of seconds above 0"),
        ({"timeout": "soon"}, "timeout of job nothing is 'soon': give a number of seconds above 0"),
        ({"retries": -1}, "retries of job nothing is '-1': give 0 or more"),
        ({"retries": 1.5}, "retries of job nothing is '1.5': give 0 or more"),
        ({"catch_up": "all"}, 'catch_up of job nothing is \'all\': give "last" or "none"'),
        ({"isolation": "container"}, "isolation of job nothing is 'container'"),
        ({"max_instances": 2}, "max_instances of job nothing is '2'"),
        ({"coalesce": False}, "coalesce of job nothing is 'False'"),
        ({"id": "a job"}, "id is 'a job': give up to 64 letters"),
        ({"seconds": "often"}, "the schedule of job nothing is 'interval'"),
        ({"fortnights": 2}, "the schedule of job nothing is 'interval'"),
    ],
)
def test_what_cannot_work_is_refused_by_name(options: dict[str, Any], right: str) -> None:
    with pytest.raises(BadSetting) as caught:
        scheduler_with().add_job(nothing, "interval", **({"hours": 1} | options))
    assert str(caught.value).startswith(right)


def test_a_process_needs_a_function_that_can_be_found() -> None:
    with pytest.raises(BadSetting, match="top level"):
        scheduler_with().add_job(lambda: None, "interval", hours=1, id="task", isolation="process")


def test_two_jobs_of_one_name_are_refused() -> None:
    scheduler = scheduler_with()
    scheduler.add_job(nothing, "interval", hours=1, id="nightly-report")
    with pytest.raises(ConflictingIdError):
        scheduler.add_job(nothing, "interval", hours=1, id="nightly-report")
    with pytest.raises(BadSetting, match="variables would be those of job nightly-report"):
        scheduler.add_job(nothing, "interval", hours=1, id="nightly_report")
    scheduler.add_job(nothing, "interval", hours=2, id="nightly-report", replace_existing=True)
    assert scheduler.jobs["nightly-report"].schedule == "every 2h"


def test_the_environment_switches_and_schedules_any_job() -> None:
    scheduler = scheduler_with(NIGHTLY_REPORT_ENABLED="no", OTHER_SCHEDULE="cron 0 2 * * 1", OTHER_ENABLED="true")
    scheduler.add_job(nothing, "interval", hours=1, id="nightly-report")
    scheduler.add_job(nothing, "interval", hours=1, id="other")
    scheduler.add_job(nothing, "interval", hours=1, id="third", enabled="no URL is given")
    assert scheduler.jobs["nightly-report"].disabled_because == "NIGHTLY_REPORT_ENABLED=no"
    assert scheduler.jobs["other"].enabled and scheduler.jobs["other"].schedule == "cron 0 2 * * mon"
    assert scheduler.jobs["third"].disabled_because == "no URL is given"


@pytest.mark.parametrize(
    ("environ", "right"),
    [
        ({"NOTHING_SCHEDULE": "hourly"}, "NOTHING_SCHEDULE is 'hourly': give 'every'"),
        ({"NOTHING_ENABLED": "perhaps"}, "NOTHING_ENABLED is 'perhaps': give true or false"),
    ],
)
def test_a_bad_variable_is_refused_by_name(environ: dict[str, str], right: str) -> None:
    with pytest.raises(BadSetting) as caught:
        scheduler_with(**environ).add_job(nothing, "interval", hours=1)
    assert str(caught.value).startswith(right)


def test_a_variable_of_no_job_is_reported(caplog: pytest.LogCaptureFixture) -> None:
    scheduler = scheduler_with(NOTHNIG_ENABLED="false", NOTHING_SCHEDULE="every 5m", OTHER_SCHEDULE="x")
    scheduler.add_job(nothing, "interval", hours=1)
    scheduler.add_job(nothing, "interval", hours=1, id="second")
    with caplog.at_level(logging.WARNING):
        assert scheduler.report_unknown_variables() == ["NOTHNIG_ENABLED", "OTHER_SCHEDULE"]
    assert "NOTHNIG_ENABLED is set, and there is no job nothnig; the jobs are nothing, second" in caplog.text


def test_cron_fields_are_read_in_the_stated_zone() -> None:
    scheduler = scheduler_with(SCHEDULE_TIMEZONE="Europe/London", B_SCHEDULE="cron 0 2 * * *")
    scheduler.add_job(nothing, "cron", hour=2, id="a")
    scheduler.add_job(nothing, "interval", hours=1, id="b")
    july = datetime(2026, 7, 1, 0, 30, tzinfo=UTC)
    for job in scheduler.jobs.values():
        assert next_slot(job.trigger, july) == datetime(2026, 7, 1, 1, tzinfo=UTC)


# What the clock does


def test_a_new_interval_job_runs_at_once_and_a_cron_job_not(runner: Runner, clock: Scheduler) -> None:
    clock.add_job(nothing, "interval", hours=5, id="interval")
    clock.add_job(nothing, "cron", hour=(now().hour + 12) % 24, id="cron")
    clock.add_job(nothing, "interval", hours=5, id="none", catch_up="none")
    assert tick(clock, runner, ended(runner, "interval"))
    (row,) = rows_of(runner.state)
    assert (row.job, row.origin, row.outcome) == ("interval", "schedule", "succeeded")
    latest = slots_between(clock.jobs["interval"].trigger, now() - 5 * 3600 * SECOND, now())
    assert latest is not None and row.slot_at == latest.last_at


def test_a_slot_runs_at_its_time(runner: Runner, clock: Scheduler) -> None:
    clock.add_job(nothing, "interval", seconds=1)
    assert tick(clock, runner, ended(runner, "nothing", 3))
    rows = rows_of(runner.state)
    assert set(outcomes(runner.state)) == {"succeeded"}
    assert all(row.slot_at.microsecond == 0 and row.started_at >= row.slot_at for row in rows)
    assert check_slots(runner.state, "nothing", clock.jobs["nothing"].trigger) == len(rows)


def test_a_slow_job_delays_no_other(runner: Runner, clock: Scheduler) -> None:
    let_go = threading.Event()

    def slow() -> None:
        let_go.wait(30)

    clock.add_job(slow, "interval", seconds=1)
    clock.add_job(nothing, "interval", seconds=1)

    def thrice() -> bool:
        so = outcomes(runner.state, "nothing").count("succeeded") >= 3
        if so:
            let_go.set()
        return so

    assert tick(clock, runner, thrice)
    assert outcomes(runner.state, "slow").count("succeeded") == 1
    for job in clock.jobs.values():
        check_slots(runner.state, job.id, job.trigger)


def test_overlap_is_one_record_that_grows(runner: Runner, clock: Scheduler) -> None:
    def slow() -> None:
        time.sleep(2.5)

    def skipped() -> bool:
        return any(row.outcome == "skipped" and row.slots >= 2 for row in rows_of(runner.state))

    clock.add_job(slow, "interval", seconds=1)
    assert tick(clock, runner, lambda: skipped() and outcomes(runner.state).count("succeeded") >= 1)
    row = next(row for row in rows_of(runner.state) if row.outcome == "skipped")
    first = next(row for row in rows_of(runner.state) if row.outcome == "succeeded")
    assert row.reason == f"still running (run {first.id})" and row.slot_at == first.slot_at + SECOND
    assert row.slot_until_at == row.slot_at + (row.slots - 1) * SECOND
    assert check_slots(runner.state, "slow", clock.jobs["slow"].trigger) >= 3


def test_two_hundred_jobs_due_at_once_all_start(database_url: URL, tmp_path: Path) -> None:
    # An open run of every job at the same time: no lane waits for another's end.
    together, names = threading.Barrier(200), [f"job{number}" for number in range(200)]

    def task() -> None:
        together.wait(60)

    with runner_for(settings_for(database_url, tmp_path, LEASE_SECONDS="30"), leads=False) as runner:
        clock = Scheduler(runner.settings)
        for name in names:
            clock.add_job(task, "interval", hours=1, id=name)
        assert tick(clock, runner, lambda: len([one for one in outcomes(runner.state) if one]) == 200, 60)
        assert sorted(row.job for row in rows_of(runner.state)) == sorted(names)
        assert set(outcomes(runner.state)) == {"succeeded"}


def test_lost_slots_are_missed_and_the_last_one_runs(runner: Runner, clock: Scheduler) -> None:
    seen = []
    clock.add_job(lambda: seen.append(current_run().slot_at), "interval", minutes=10, id="task")
    trigger = clock.jobs["task"].trigger
    last = slots_between(trigger, now() - timedelta(minutes=45), now())
    assert last is not None
    remember(runner.state, "task", now() - timedelta(days=1), schedule=clock.jobs["task"].schedule)
    remember_run(runner.state, "task", last.first_at)
    assert tick(clock, runner, ended(runner, "task", 3))
    _, missed, caught = rows_of(runner.state)
    assert (missed.outcome, missed.slots) == ("missed", last.count - 2)
    assert (missed.slot_at, missed.slot_until_at) == (last.first_at + 600 * SECOND, last.last_at - 600 * SECOND)
    assert missed.reason.startswith(f"no daemon was running between {last.first_at:%Y-%m-%d %H:%M:%S} and ")
    assert (caught.outcome, caught.origin, caught.slot_at) == ("succeeded", "catch_up", last.last_at)
    assert seen == [last.last_at]
    check_slots(runner.state, "task", trigger)


def test_without_catch_up_all_lost_slots_are_missed(runner: Runner, clock: Scheduler) -> None:
    clock.add_job(nothing, "cron", minute="*/10", id="task", catch_up="none", misfire_grace_time=0.001)
    trigger = clock.jobs["task"].trigger
    last = slots_between(trigger, now() - timedelta(minutes=45), now())
    assert last is not None
    remember(runner.state, "task", now() - timedelta(days=1), schedule=clock.jobs["task"].schedule)
    remember_run(runner.state, "task", last.first_at)
    assert tick(clock, runner, ended(runner, "task", 2))
    assert [(row.outcome, row.slots) for row in rows_of(runner.state)] == [("succeeded", 1), ("missed", last.count - 1)]
    check_slots(runner.state, "task", trigger)


def test_without_catch_up_a_slot_just_due_still_runs(runner: Runner, clock: Scheduler) -> None:
    clock.add_job(nothing, "interval", hours=1, id="task", catch_up="none", misfire_grace_time=3600)
    slot = slots_between(clock.jobs["task"].trigger, now() - timedelta(hours=1), now())
    assert slot is not None
    remember(runner.state, "task", now() - timedelta(days=1), schedule=clock.jobs["task"].schedule)
    remember_run(runner.state, "task", slot.last_at - timedelta(hours=1))
    assert tick(clock, runner, ended(runner, "task", 2))
    assert outcomes(runner.state) == ["succeeded", "succeeded"]


def test_a_cron_job_that_never_ran_catches_up_too(runner: Runner, clock: Scheduler) -> None:
    clock.add_job(nothing, "cron", minute="*/10", id="task")
    remember(runner.state, "task", now() - timedelta(minutes=35), schedule=clock.jobs["task"].schedule)
    assert tick(clock, runner, ended(runner, "task", 2))
    missed, caught = rows_of(runner.state)
    assert (missed.outcome, missed.slots in (2, 3), caught.origin) == ("missed", True, "catch_up")


def test_a_job_owes_nothing_for_its_time_off(runner: Runner, url: URL, tmp_path: Path) -> None:
    begun = now() - timedelta(days=3)
    remember(runner.state, "task", begun)
    remember_run(runner.state, "task", begun)

    def start(environ: dict[str, str]) -> None:
        settings = settings_for(url, tmp_path, **environ)
        with runner_for(settings, leads=False) as other:
            clock = Scheduler(settings)
            clock.add_job(nothing, "interval", hours=1, id="task")
            clock.add_job(nothing, "interval", seconds=1, id="beat")
            before = len(rows_of(other.state, "beat"))
            assert tick(clock, other, ended(other, "beat", before + 1))

    start({"TASK_ENABLED": "false"})
    assert outcomes(runner.state, "task") == ["succeeded"]
    start({})
    assert outcomes(runner.state, "task") == ["succeeded"]
    with runner.state.begin() as connection:
        record = job_records.all_jobs(connection)["task"]
    assert record.enabled and record.enabled_at > now() - timedelta(minutes=5)


def test_a_disabled_job_never_runs(runner: Runner, clock: Scheduler) -> None:
    clock.add_job(nothing, "interval", seconds=1, id="off", enabled=False)
    clock.add_job(nothing, "interval", seconds=1, id="held", next_run_time=None)
    clock.add_job(nothing, "interval", seconds=1, id="on")
    assert tick(clock, runner, ended(runner, "on", 2))
    assert outcomes(runner.state, "off") == [] and outcomes(runner.state, "held") == []


def test_whoever_says_when_to_begin_is_heard(runner: Runner, clock: Scheduler) -> None:
    begin = now() + timedelta(seconds=1.5)
    clock.add_job(nothing, "interval", hours=5, id="task", next_run_time=begin)
    assert tick(clock, runner, ended(runner, "task"))
    assert [row.slot_at for row in rows_of(runner.state)] == [begin]


def test_a_date_runs_once_in_all_starts(runner: Runner, url: URL, tmp_path: Path) -> None:
    at = now() + timedelta(seconds=1)
    for beats in (1, 3):
        with runner_for(settings_for(url, tmp_path), leads=False) as other:
            clock = Scheduler(other.settings)
            clock.add_job(nothing, "date", run_date=at, id="once")
            clock.add_job(nothing, "interval", seconds=1, id="beat")
            assert tick(clock, other, lambda: ended(other, "once")() and ended(other, "beat", beats)())
    assert [(row.outcome, row.slot_at) for row in rows_of(runner.state, "once")] == [("succeeded", at)]


def test_a_paused_job_skips_its_slots(runner: Runner, clock: Scheduler) -> None:
    clock.add_job(nothing, "interval", seconds=1)
    with runner.state.begin() as connection:
        job_records.pause(connection, "nothing", "every 1s", now(), "me")
    assert tick(clock, runner, lambda: any(row.slots >= 3 for row in rows_of(runner.state)))
    (row,) = rows_of(runner.state)
    assert (row.outcome, row.reason) == ("skipped", "paused")
    check_slots(runner.state, "nothing", clock.jobs["nothing"].trigger)


def test_slots_slept_over_are_missed_and_the_last_runs(runner: Runner, clock: Scheduler) -> None:
    clock.add_job(nothing, "interval", seconds=1, id="last")
    clock.add_job(nothing, "interval", seconds=1, id="none", catch_up="none", misfire_grace_time=0.5)
    daemon = clock.daemon(runner)
    beat = daemon.heartbeat.beat
    slept: list[int] = []

    def sleep_once(now: float | None = None) -> None:
        # As a machine that sleeps: the clock's thread stands still while time goes on.
        beat()
        if not slept and ended(runner, "last")():
            slept.append(1)
            time.sleep(3.6 - time.time() % 1)

    daemon.heartbeat.beat = sleep_once  # type: ignore[method-assign]
    assert run_until(daemon, lambda: "missed" in outcomes(runner.state, "none") and ended(runner, "last", 4)())
    missed = next(row for row in rows_of(runner.state, "last") if row.outcome == "missed")
    assert missed.slots >= 2 and "asleep" in missed.reason
    after = next(row for row in rows_of(runner.state, "last") if row.slot_at == missed.slot_until_at + SECOND)
    assert after.outcome == "succeeded"
    lost = next(row for row in rows_of(runner.state, "none") if row.outcome == "missed")
    assert lost.slots >= 3
    for job in clock.jobs.values():
        check_slots(runner.state, job.id, job.trigger)


def test_slots_of_a_clock_that_was_ahead_are_taken_back(runner: Runner, clock: Scheduler) -> None:
    clock.add_job(nothing, "interval", seconds=1, id="task")
    clock.add_job(nothing, "date", run_date=now() + timedelta(minutes=50), id="once")
    whole, hour = now().replace(microsecond=0), timedelta(hours=1)
    remember(runner.state, "task", whole + hour, schedule=clock.jobs["task"].schedule)
    # Across this moment lies a stretch that was missed as the clock was set forward; it ran then, and was set back.
    missed = {"slot_until_at": whole + hour, "slots": 2 * 3600 + 1, "attempts": 0, "reason": "asleep"}
    remember_run(runner.state, "task", whole - hour, "missed", **missed)
    remember_run(runner.state, "task", whole + hour + SECOND)
    skipped = {"slot_until_at": whole + hour + 3 * SECOND, "slots": 2, "attempts": 0, "reason": "still running"}
    remember_run(runner.state, "task", whole + hour + 2 * SECOND, "skipped", **skipped)
    remember_run(runner.state, "once", now() + timedelta(minutes=50))
    assert tick(clock, runner, ended(runner, "task", 5))
    stretch, ahead, *ran = rows_of(runner.state, "task")
    assert (stretch.outcome, stretch.slot_at) == ("missed", whole - hour)
    assert (ahead.outcome, ahead.slot_at, ahead.slot_until_at, ahead.slots) == ("succeeded", None, None, 0)
    assert {row.outcome for row in ran} == {"succeeded"} and ran[0].slot_at < whole + 30 * SECOND
    assert check_slots(runner.state, "task", clock.jobs["task"].trigger) == stretch.slots + len(ran)
    # A date comes once, whatever the clock says.
    (once,) = rows_of(runner.state, "once")
    assert once.slot_at is not None


def test_a_clock_a_little_behind_repeats_no_slot(runner: Runner, clock: Scheduler) -> None:
    clock.add_job(nothing, "interval", seconds=1, id="task")
    remember(runner.state, "task", now() - timedelta(days=1), schedule=clock.jobs["task"].schedule)
    ahead = now().replace(microsecond=0) + 3 * SECOND
    skipped = {"slot_until_at": ahead, "slots": 4, "attempts": 0, "reason": "still running"}
    remember_run(runner.state, "task", ahead - 3 * SECOND, "skipped", **skipped)
    assert tick(clock, runner, ended(runner, "task", 3))
    assert [row.slot_at - ahead for row in rows_of(runner.state, "task")[1:3]] == [SECOND, 2 * SECOND]
    check_slots(runner.state, "task", clock.jobs["task"].trigger)


def test_the_clock_goes_on_while_the_state_is_away(mariadb: SqlServer, tmp_path: Path) -> None:
    ran: list[object] = []
    gone: list[int] = []
    with runner_for(settings_for(mariadb.create_database(), tmp_path, LEASE_SECONDS="30"), leads=False) as runner:
        clock = Scheduler(runner.settings)
        clock.add_job(lambda: ran.append(now()), "interval", seconds=1, id="task")

        def trouble() -> bool:
            if len(ran) == 2 and not gone:
                gone.append(1)
                mariadb.kill()
                # Three slots that nobody can record.
                eventually(lambda: runner.waiting >= 2)
                time.sleep(1.5)
                mariadb.start()
            return len(ran) >= 4

        assert tick(clock, runner, trouble, 60)
        rows = rows_of(runner.state)
        failed = [row for row in rows if row.outcome == "failed"]
        assert sum(row.slots for row in failed) >= 2
        assert all("could not be recorded" in row.reason for row in failed)
        assert None not in outcomes(runner.state)
        check_slots(runner.state, "task", clock.jobs["task"].trigger)


# Its start and its end


def test_stopping_asks_runs_and_waits_for_them(runner: Runner, clock: Scheduler) -> None:
    def until_asked() -> None:
        try:
            current_run().sleep(60)
        finally:
            time.sleep(0.3)

    clock.add_job(until_asked, "interval", hours=1)
    assert tick(clock, runner, lambda: runner.live)
    (row,) = rows_of(runner.state)
    assert (row.outcome, row.reason) == ("interrupted", "the daemon was asked to stop")


def test_a_run_that_does_not_stop_is_cut_off(url: URL, tmp_path: Path) -> None:
    let_go = threading.Event()
    with runner_for(settings_for(url, tmp_path, GRACE_SECONDS="0.2"), leads=False) as runner:
        clock = Scheduler(runner.settings)
        clock.add_job(lambda: let_go.wait(30), "interval", hours=1, id="deaf")
        assert tick(clock, runner, lambda: runner.live)
        (row,) = rows_of(runner.state)
        assert row.outcome == "interrupted" and "no safe point within 0.2 s" in row.reason
        let_go.set()


def test_sigterm_stops_the_clock_in_order(runner: Runner, clock: Scheduler) -> None:
    clock.add_job(lambda: current_run().sleep(60), "interval", hours=1, id="task")
    before = signal.getsignal(signal.SIGTERM)

    def send() -> None:
        eventually(lambda: runner.live)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=send, daemon=True).start()
    clock.daemon(runner).run()
    assert outcomes(runner.state) == ["interrupted"]
    assert signal.getsignal(signal.SIGTERM) == before


def test_the_heartbeat_is_touched_while_the_clock_goes(runner: Runner, clock: Scheduler) -> None:
    heartbeat = runner.settings.heartbeat_file
    clock.add_job(nothing, "interval", seconds=1)
    beats = set()

    def seen() -> bool:
        if heartbeat.exists():
            beats.add(heartbeat.stat().st_mtime_ns)
        return len(beats) >= 3

    assert tick(clock, runner, seen)


def test_a_heartbeat_that_cannot_be_touched_ends_the_start(url: URL, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="ascii")
    settings = settings_for(url, tmp_path, HEARTBEAT_FILE=str(tmp_path / "file" / "heartbeat"))
    with runner_for(settings, leads=False) as runner, pytest.raises(BadSetting, match="HEARTBEAT_FILE is .*written"):
        Scheduler(settings).daemon(runner).run()


def test_lanes_that_are_closed_take_nothing(runner: Runner, clock: Scheduler) -> None:
    clock.add_job(nothing, "interval", hours=1)
    made = lanes.Lanes(clock.jobs, runner)
    made.close()
    made.enter(clock.jobs["nothing"], Slot(now()))
    assert made.wait(1) and rows_of(runner.state) == [] and runner.waiting == 0
