"""Catching up: when the clock comes to go, each slot that was lost gets its outcome."""

from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from sqlalchemy import URL, update

from janitor.engine.clock import Phase
from janitor.engine.leaps import ASLEEP
from janitor.engine.runner import Runner
from janitor.engine.stretches import AWAY
from janitor.errors import Fenced
from janitor.jobs import Job
from janitor.jobs.slots import slots_between
from janitor.runs import Fence, Outcome, current_run
from janitor.scheduler import Scheduler
from janitor.state import job_records
from janitor.state.slot_records import LostSlots
from janitor.state.tables import jobs as job_rows
from tests.small_engine import (
    SECOND,
    check_slots,
    ended,
    nothing,
    now,
    outcomes,
    remember,
    remember_run,
    rows_of,
    runner_for,
    settings_for,
    tick,
)


def test_a_new_interval_job_runs_at_once_and_a_cron_job_not(starting: Runner, clock: Scheduler) -> None:
    clock.add_job(nothing, "interval", hours=5, id="interval")
    clock.add_job(nothing, "cron", hour=(now().hour + 12) % 24, id="cron")
    clock.add_job(nothing, "interval", hours=5, id="none", catch_up="none")
    assert tick(clock, starting, ended(starting, "interval"))
    (row,) = rows_of(starting.state)
    assert (row.job, row.origin, row.outcome) == ("interval", "schedule", "succeeded")
    latest = slots_between(clock.jobs["interval"].trigger, now() - 5 * 3600 * SECOND, now())
    assert latest is not None and row.slot_at == latest.last_at


def test_lost_slots_are_missed_and_the_last_one_runs(starting: Runner, clock: Scheduler) -> None:
    seen = []
    clock.add_job(lambda: seen.append(current_run().slot_at), "interval", minutes=10, id="task")
    trigger = clock.jobs["task"].trigger
    last = slots_between(trigger, now() - timedelta(minutes=45), now())
    assert last is not None
    remember(starting.state, "task", now() - timedelta(days=1), schedule=clock.jobs["task"].schedule)
    remember_run(starting.state, "task", last.first_at)
    assert tick(clock, starting, ended(starting, "task", 3))
    _, missed, caught = rows_of(starting.state)
    assert (missed.outcome, missed.slots) == ("missed", last.count - 2)
    assert (missed.slot_at, missed.slot_until_at) == (last.first_at + 600 * SECOND, last.last_at - 600 * SECOND)
    assert missed.reason.startswith("no daemon led then; a daemon leads again since ")
    assert (caught.outcome, caught.origin, caught.slot_at) == ("succeeded", "catch_up", last.last_at)
    assert seen == [last.last_at]
    check_slots(starting.state, "task", trigger)


@pytest.mark.parametrize("schedule", ["every 1s", "every 1m", "cron * * * * *", "cron */5 8-17 * * mon-fri"])
def test_after_three_years_all_slots_are_one_record(schedule: str, starting: Runner, clock: Scheduler) -> None:
    # Given: a job with many slots, and no daemon for three years. What happens: a daemon starts. What must hold: one
    # record has all slots but the newest, none is left out, and the newest slot runs.
    clock.add_job(nothing, schedule, id="task")
    trigger, began = clock.jobs["task"].trigger, now()
    three_years = timedelta(days=3 * 365)
    last = slots_between(trigger, began - three_years, began)
    assert last is not None and last.count > 90_000
    remember(starting.state, "task", began - 2 * three_years, schedule=clock.jobs["task"].schedule)
    remember_run(starting.state, "task", last.first_at)
    assert tick(clock, starting, ended(starting, "task", 3))
    _, missed, caught, *later = rows_of(starting.state)
    newest = slots_between(trigger, began, caught.slot_at)
    assert (caught.origin, caught.outcome) == ("catch_up", "succeeded")
    assert caught.slot_at == (last if newest is None else newest).last_at
    # On a busy machine the run begins some seconds after its slot was found to be the newest.
    since = slots_between(trigger, caught.slot_at, caught.started_at)
    assert since is None or since.count <= 5
    assert (missed.outcome, missed.slots) == ("missed", last.count - 2 + (newest.count if newest else 0))
    assert check_slots(starting.state, "task", trigger) == 2 + missed.slots + sum(row.slots for row in later)


def test_without_catch_up_all_lost_slots_are_missed(starting: Runner, clock: Scheduler) -> None:
    clock.add_job(nothing, "cron", minute="*/10", id="task", catch_up="none", misfire_grace_time=0.001)
    trigger = clock.jobs["task"].trigger
    last = slots_between(trigger, now() - timedelta(minutes=45), now())
    assert last is not None
    remember(starting.state, "task", now() - timedelta(days=1), schedule=clock.jobs["task"].schedule)
    remember_run(starting.state, "task", last.first_at)
    assert tick(clock, starting, ended(starting, "task", 2))
    assert [(row.outcome, row.slots) for row in rows_of(starting.state)] == [
        ("succeeded", 1),
        ("missed", last.count - 1),
    ]
    check_slots(starting.state, "task", trigger)


def test_without_catch_up_a_slot_just_due_still_runs(starting: Runner, clock: Scheduler) -> None:
    clock.add_job(nothing, "interval", hours=1, id="task", catch_up="none", misfire_grace_time=3600)
    slot = slots_between(clock.jobs["task"].trigger, now() - timedelta(hours=1), now())
    assert slot is not None
    remember(starting.state, "task", now() - timedelta(days=1), schedule=clock.jobs["task"].schedule)
    remember_run(starting.state, "task", slot.last_at - timedelta(hours=1))
    assert tick(clock, starting, ended(starting, "task", 2))
    assert outcomes(starting.state) == ["succeeded", "succeeded"]


def test_a_cron_job_that_never_ran_catches_up_too(starting: Runner, clock: Scheduler) -> None:
    clock.add_job(nothing, "cron", minute="*/10", id="task")
    remember(starting.state, "task", now() - timedelta(minutes=35), schedule=clock.jobs["task"].schedule)
    assert tick(clock, starting, ended(starting, "task", 2))
    missed, caught = rows_of(starting.state)
    assert (missed.outcome, missed.slots in (2, 3), caught.origin) == ("missed", True, "catch_up")


def test_a_job_owes_nothing_for_its_time_off(starting: Runner, lite_url: URL, tmp_path: Path) -> None:
    begun = now() - timedelta(days=3)
    remember(starting.state, "task", begun)
    remember_run(starting.state, "task", begun)

    def start(environ: dict[str, str]) -> None:
        settings = settings_for(lite_url, tmp_path, **environ)
        with runner_for(settings, leads=False) as other:
            clock = Scheduler(settings)
            clock.add_job(nothing, "interval", hours=1, id="task")
            clock.add_job(nothing, "interval", seconds=1, id="beat")
            before = len(rows_of(other.state, "beat"))
            assert tick(clock, other, ended(other, "beat", before + 1))

    start({"TASK_ENABLED": "false"})
    assert outcomes(starting.state, "task") == ["succeeded"]
    start({})
    assert outcomes(starting.state, "task") == ["succeeded"]
    with starting.state.begin() as connection:
        record = job_records.all_jobs(connection)["task"]
    assert record.enabled and record.enabled_at > now() - timedelta(minutes=5)


def test_a_schedule_in_another_zone_owes_nothing(starting: Runner, lite_url: URL, tmp_path: Path) -> None:
    # Given: a daily job that has run today, in UTC. What happens: the zone changes over a restart, to one in which the
    # same words meant a later moment of today. What must hold: the day's job does not run again.
    at = now() - timedelta(hours=9)
    line = f"cron {at.minute} {at.hour} * * *"

    def start(zone: str) -> Job:
        settings = settings_for(lite_url, tmp_path, SCHEDULE_TIMEZONE=zone)
        with runner_for(settings, leads=False) as other:
            clock = Scheduler(settings)
            clock.add_job(nothing, line, id="task")
            clock.add_job(nothing, "interval", seconds=1, id="beat")
            before = len(rows_of(other.state, "beat"))
            assert tick(clock, other, ended(other, "beat", before + 1))
            return clock.jobs["task"]

    job = start("UTC")
    last = slots_between(job.trigger, now() - timedelta(hours=10), now())
    assert last is not None
    remember_run(starting.state, "task", last.last_at)
    # The job is no new one: else it would owe nothing anyway.
    with starting.state.begin() as connection:
        connection.execute(update(job_rows).values(enabled_at=now() - timedelta(days=3)))
    # Eight hours behind UTC the same words are one hour ago.
    start("Etc/GMT+8")
    assert outcomes(starting.state, "task") == ["succeeded"]


def test_an_interval_that_begins_elsewhere_owes_nothing(starting: Runner, clock: Scheduler) -> None:
    # Given: a job of each day that has run today, and now begins an hour later. What must hold: it does not run again.
    at, day = now() - timedelta(hours=3), timedelta(days=1)
    clock.add_job(nothing, "interval", days=1, start_date=at - 9 * day, id="before", enabled=False)
    clock.add_job(nothing, "interval", days=1, start_date=at - 9 * day + timedelta(hours=1), id="task")
    clock.add_job(nothing, "every 1s", id="beat")
    remember(starting.state, "task", now() - 5 * day, schedule=clock.jobs["before"].identity)
    remember_run(starting.state, "task", at)
    assert tick(clock, starting, ended(starting, "beat", 2))
    assert outcomes(starting.state, "task") == ["succeeded"]


def test_other_words_for_the_same_slots_owe_what_was_lost(starting: Runner, clock: Scheduler) -> None:
    clock.add_job(nothing, "cron 0,10,20,30,40,50 * * * *", id="task")
    clock.add_job(nothing, "cron */10 * * * *", id="before", enabled=False)
    remember(starting.state, "task", now() - timedelta(minutes=35), schedule=clock.jobs["before"].identity)
    assert tick(clock, starting, ended(starting, "task", 2))
    assert outcomes(starting.state, "task") == ["missed", "succeeded"]


def test_a_job_that_was_not_there_owes_nothing(starting: Runner, lite_url: URL, tmp_path: Path) -> None:
    # Given: a job that has run, and slots since. What happens: a daemon without it, then one with it again.
    # What must hold: nothing of the time without it is missed, and nothing is caught up.
    begun = now() - timedelta(days=3)
    remember(starting.state, "task", begun, schedule="every 1h")
    remember_run(starting.state, "task", begun)
    for jobs in (["beat"], ["beat", "task"]):
        with runner_for(settings_for(lite_url, tmp_path), leads=False) as other:
            clock = Scheduler(other.settings)
            for name in jobs:
                clock.add_job(nothing, "every 1s" if name == "beat" else "every 1h", id=name)
            before = len(rows_of(other.state, "beat"))
            assert tick(clock, other, ended(other, "beat", before + 1))
    assert outcomes(starting.state, "task") == ["succeeded"]


def test_a_job_owes_nothing_from_before_it_was_switched_on(starting: Runner, clock: Scheduler) -> None:
    # Given: a job that ran hours ago, and was switched on again half an hour ago; it has not run since.
    clock.add_job(nothing, "interval", minutes=10, id="task")
    switched_on, trigger = now() - timedelta(minutes=35), clock.jobs["task"].trigger
    last = slots_between(trigger, switched_on - timedelta(hours=3), switched_on)
    assert last is not None
    remember(starting.state, "task", switched_on, schedule=clock.jobs["task"].identity)
    remember_run(starting.state, "task", last.first_at)
    assert tick(clock, starting, ended(starting, "task", 3))
    _, missed, caught = rows_of(starting.state)[:3]
    assert (missed.outcome, caught.origin) == ("missed", "catch_up") and missed.slot_at > switched_on


def test_whoever_says_when_to_begin_is_heard(starting: Runner, clock: Scheduler) -> None:
    begin = now() + timedelta(seconds=1.5)
    clock.add_job(nothing, "interval", hours=5, id="task", next_run_time=begin)
    assert tick(clock, starting, ended(starting, "task"))
    assert [row.slot_at for row in rows_of(starting.state)] == [begin]


def test_a_date_runs_once_in_all_starts(starting: Runner, lite_url: URL, tmp_path: Path) -> None:
    at = now() + timedelta(seconds=1)
    for beats in (1, 3):
        with runner_for(settings_for(lite_url, tmp_path), leads=False) as other:
            clock = Scheduler(other.settings)
            clock.add_job(nothing, "date", run_date=at, id="once")
            clock.add_job(nothing, "interval", seconds=1, id="beat")
            assert tick(clock, other, lambda: ended(other, "once")() and ended(other, "beat", beats)())
    assert [(row.outcome, row.slot_at) for row in rows_of(starting.state, "once")] == [("succeeded", at)]


def test_a_moment_that_is_over_has_one_outcome_and_a_true_reason(
    starting: Runner, lite_url: URL, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    # Given: a job that came after its moment, and may not run late; and a job whose moment no daemon led at.
    # Happens: two starts. Must hold: each slot is missed once, for its own reason; nothing is told of it again.
    at = now() - timedelta(hours=1)
    schedule = f"at {at.isoformat()}"
    remember(starting.state, "known", now() - timedelta(days=1), schedule=schedule)
    for beats in (1, 3):
        caplog.clear()
        with runner_for(settings_for(lite_url, tmp_path), leads=False) as other:
            clock = Scheduler(other.settings)
            for name in ("late", "known"):
                clock.add_job(nothing, schedule, id=name, catch_up="none")
            clock.add_job(nothing, "every 1s", id="beat")
            assert tick(clock, other, ended(other, "beat", beats))
    late, known = (rows_of(starting.state, name) for name in ("late", "known"))
    assert [(row.outcome, row.slot_at) for row in (*late, *known)] == [("missed", at)] * 2
    assert late[0].reason == "the job was not here, or was off, at that moment"
    assert known[0].reason.startswith("no daemon led then")
    assert "missed 1 slot" not in caplog.text


def test_slots_of_a_clock_that_was_ahead_are_taken_back(starting: Runner, clock: Scheduler) -> None:
    clock.add_job(nothing, "interval", seconds=1, id="task")
    clock.add_job(nothing, "date", run_date=now() + timedelta(minutes=50), id="once")
    whole, hour = now().replace(microsecond=0), timedelta(hours=1)
    remember(starting.state, "task", whole + hour, schedule=clock.jobs["task"].schedule)
    # Across this moment lies a stretch that was missed as the clock was set forward; it ran then, and was set back.
    missed = {"slot_until_at": whole + hour, "slots": 2 * 3600 + 1, "attempts": 0, "reason": "asleep"}
    remember_run(starting.state, "task", whole - hour, "missed", **missed)
    remember_run(starting.state, "task", whole + hour + SECOND)
    skipped = {"slot_until_at": whole + hour + 3 * SECOND, "slots": 2, "attempts": 0, "reason": "still running"}
    remember_run(starting.state, "task", whole + hour + 2 * SECOND, "skipped", **skipped)
    remember_run(starting.state, "once", now() + timedelta(minutes=50))
    assert tick(clock, starting, ended(starting, "task", 5))
    stretch, ahead, *ran = rows_of(starting.state, "task")
    assert (stretch.outcome, stretch.slot_at) == ("missed", whole - hour)
    assert (ahead.outcome, ahead.slot_at, ahead.slot_until_at, ahead.slots) == ("succeeded", None, None, 0)
    assert {row.outcome for row in ran} == {"succeeded"} and ran[0].slot_at < whole + 30 * SECOND
    assert check_slots(starting.state, "task", clock.jobs["task"].trigger) == stretch.slots + len(ran)
    # A date comes once, whatever the clock says.
    (once,) = rows_of(starting.state, "once")
    assert once.slot_at is not None


def test_a_job_whose_only_record_is_taken_back_owes_nothing(starting: Runner, clock: Scheduler) -> None:
    # Given: a job that is enabled for a year, and whose older records are deleted: only its newest slot is on record.
    # Happens: the clock is set back to before that slot, twice. Must hold: no slot of the year counts as missed.
    clock.add_job(nothing, "every 1h", id="task")
    clock.add_job(nothing, "every 1s", id="beat")
    trigger, began = clock.jobs["task"].trigger, now()
    remember(starting.state, "task", began - timedelta(days=365), schedule=clock.jobs["task"].identity)
    ahead = slots_between(trigger, began + timedelta(hours=2), began + timedelta(hours=3))
    assert ahead is not None
    remember_run(starting.state, "task", ahead.last_at)
    assert tick(clock, starting, ended(starting, "beat", 1))
    rows = rows_of(starting.state, "task")
    assert rows[0].slot_at is None and all(row.slot_at > began for row in rows[1:])
    with starting.state.read() as connection:
        assert job_records.all_jobs(connection)["task"].enabled_at >= began


def test_a_clock_a_little_behind_repeats_no_slot(starting: Runner, clock: Scheduler) -> None:
    clock.add_job(nothing, "interval", seconds=1, id="task")
    remember(starting.state, "task", now() - timedelta(days=1), schedule=clock.jobs["task"].schedule)
    ahead = now().replace(microsecond=0) + 3 * SECOND
    skipped = {"slot_until_at": ahead, "slots": 4, "attempts": 0, "reason": "still running"}
    remember_run(starting.state, "task", ahead - 3 * SECOND, "skipped", **skipped)
    assert tick(clock, starting, ended(starting, "task", 3))
    # On a busy machine one record may stand for several slots.
    slots = [(row.slot_at, row.slot_until_at) for row in rows_of(starting.state, "task")]
    assert [first - until for (_, until), (first, _) in pairwise(slots)] == [SECOND] * (len(slots) - 1)
    check_slots(starting.state, "task", clock.jobs["task"].trigger)


def test_slots_a_few_minutes_ahead_are_waited_for(
    starting: Runner, clock: Scheduler, caplog: pytest.LogCaptureFixture
) -> None:
    # Given slots on record up to five minutes ahead, as an older release left them whose host's clock was ahead.
    # A daemon leads: it takes nothing back, runs none of them again, and says so. The job's next slot is the one after.
    clock.add_job(nothing, "interval", seconds=60, id="task")
    clock.add_job(nothing, "every 1s", id="beat")
    trigger = clock.jobs["task"].trigger
    ahead = slots_between(trigger, now(), now() + timedelta(minutes=5))
    assert ahead is not None
    remember(starting.state, "task", now() - timedelta(days=1), schedule=clock.jobs["task"].schedule)
    remember_run(starting.state, "task", ahead.last_at)
    assert tick(clock, starting, ended(starting, "beat", 2))
    (row,) = rows_of(starting.state, "task")
    assert row.slot_at == ahead.last_at
    assert f"still to come, up to {ahead.last_at}: they do not run again: task" in caplog.text
    assert "set back" not in caplog.text


def test_a_job_enabled_ahead_of_the_clock_owes_its_slots(starting: Runner, clock: Scheduler) -> None:
    # Given a job that was enabled by a clock five minutes ahead. A daemon leads, and later another.
    # Since the first of them the job is enabled: what is lost after that is owed.
    clock.add_job(nothing, "interval", seconds=1, id="task")
    remember(starting.state, "task", now() + timedelta(minutes=5), schedule=clock.jobs["task"].identity)
    assert tick(clock, starting, ended(starting, "task", 1))
    with starting.state.read() as connection:
        assert job_records.all_jobs(connection)["task"].enabled_at <= now()


def test_who_was_followed_remembers_no_jobs(lite: Runner) -> None:
    clock = Scheduler(lite.settings)
    clock.add_job(nothing, "interval", hours=1, id="task")
    daemon = clock.daemon(lite)
    lite.leadership.take(Fence("daemon", 99))
    with pytest.raises(Fenced):
        daemon._catching_up.account(now())
    with lite.state.read() as connection:
        assert job_records.all_jobs(connection) == {}


def test_slots_that_wait_to_be_recorded_are_not_counted_again(lite: Runner) -> None:
    # Given: slots that are lost, whose record waits for the state database. What happens: the slots are counted anew.
    # What must hold: what waits is written first, so that each slot has one outcome.
    clock = Scheduler(lite.settings)
    clock.add_job(nothing, "interval", minutes=10, id="task")
    job, daemon = clock.jobs["task"], clock.daemon(lite)
    last = slots_between(job.trigger, now() - timedelta(minutes=65), now())
    assert last is not None
    remember(lite.state, "task", now() - timedelta(days=1), schedule=job.identity)
    remember_run(lite.state, "task", last.first_at)
    second = last.first_at + timedelta(minutes=10)
    lite.losses.add(LostSlots("task", second, second, 1, Outcome.MISSED, "asleep", job.trigger))
    clock.open(daemon.lanes)
    clock.phase = Phase.COUNTING
    daemon._count_anew()
    assert daemon.lanes.wait(30)
    daemon.lanes.close()
    clock.close()
    lite.flush()
    assert check_slots(lite.state, "task", job.trigger) >= last.count


def test_slots_that_could_not_be_counted_for_a_while_say_so(lite: Runner) -> None:
    # Given: slots that wait to be counted, since the machine was asleep. What happens: the state database is away when
    # they are to be counted, and is back. What must hold: none runs before; the reason of the missed slots is true.
    clock = Scheduler(lite.settings)
    clock.add_job(nothing, "interval", minutes=10, id="task")
    job, daemon = clock.jobs["task"], clock.daemon(lite)
    last = slots_between(job.trigger, now() - timedelta(minutes=65), now())
    assert last is not None
    remember(lite.state, "task", now() - timedelta(days=1), schedule=job.identity)
    remember_run(lite.state, "task", last.first_at)
    clock.open(daemon.lanes)
    clock.phase, clock.held_because = Phase.COUNTING, ASLEEP
    lite.state.stop("away")
    daemon._count_anew()
    assert clock.phase is Phase.COUNTING
    lite.state.stop("")
    daemon._count_anew()
    assert daemon.lanes.wait(30)
    daemon.lanes.close()
    clock.close()
    lite.flush()
    assert [row.reason for row in rows_of(lite.state) if row.outcome == "missed"] == [AWAY]
