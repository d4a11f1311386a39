"""Lost slots: each gets its outcome, under the lease of the leader alone."""

import threading
from datetime import timedelta
from pathlib import Path

from apscheduler.triggers.interval import IntervalTrigger
from sqlalchemy import update

from janitor.engine.runner import Runner
from janitor.engine.stages import Slot
from janitor.runs import Fence, Outcome
from janitor.state import leases, run_records
from janitor.state.slot_records import LostSlots
from janitor.state.tables import leases as lease_rows
from tests.servers import SqlServer
from tests.small_engine import job_of, nothing, now, rows_of, runner_for, settings_for

WAITS_SECONDS = 1.0
"""So long the journal has time to write what it should not write yet."""


def test_a_start_whose_answer_was_lost_is_failed(runner: Runner) -> None:
    slot = now()
    with runner.state.begin() as connection:
        moment = runner.state.now(connection)
        leases.acquire(connection, "job:task", runner.holder, moment, 60)
        run_records.start(connection, "task", "schedule", slot, moment, False, runner.holder)
    runner.lost(LostSlots("task", slot, slot, 1, Outcome.FAILED, "the run could not be recorded: away"))
    assert [(row.outcome, row.reason) for row in rows_of(runner.state)] == [
        ("failed", "the run could not be recorded: away")
    ]
    with runner.state.begin() as connection:
        assert leases.holder_of(connection, "job:task") is None


def test_a_start_within_a_stretch_whose_answer_was_lost_is_failed(runner: Runner) -> None:
    # Three slots failed while the state database was away; the second run's start is on record all the same.
    first = now()
    second, third = first + timedelta(minutes=1), first + timedelta(minutes=2)
    with runner.state.begin() as connection:
        run_records.start(connection, "task", "schedule", second, second, False, runner.holder)
    lost = LostSlots("task", first, third, 3, Outcome.FAILED, "away", IntervalTrigger(minutes=1, start_date=first))
    for _ in range(2):
        runner.lost(lost)
    rows = sorted(rows_of(runner.state), key=lambda row: row.slot_at)
    assert [(row.slot_at, row.slot_until_at, row.outcome) for row in rows] == [
        (first, first, "failed"),
        (second, third, "failed"),
    ]


def test_a_start_that_is_committed_late_keeps_its_slot(mariadb: SqlServer, tmp_path: Path) -> None:
    """Given: the start of the second of two runs, whose commit is on its way for seconds.

    Happens: meanwhile both slots are recorded as failed, for one reason. Then the commit comes.
    Must hold: each slot has one outcome.
    """
    first = now()
    second = first + timedelta(minutes=1)
    lost = LostSlots("task", first, second, 2, Outcome.FAILED, "away", IntervalTrigger(minutes=1, start_date=first))
    with runner_for(settings_for(mariadb.create_database(), tmp_path)) as runner:
        recording = threading.Thread(target=runner.lost, args=[lost])
        with runner.state.begin(*runner.lead.fences, alone=True) as connection:
            run_records.start(connection, "task", "schedule", second, second, False, runner.holder)
            recording.start()
            recording.join(WAITS_SECONDS)
        recording.join()
        rows = sorted(rows_of(runner.state), key=lambda row: row.slot_at)
    assert [(row.slot_at, row.slot_until_at, row.outcome) for row in rows] == [
        (first, first, "failed"),
        (second, second, "failed"),
    ]


def test_a_daemon_that_was_followed_writes_nothing(runner: Runner) -> None:
    with runner.state.begin() as connection:
        connection.execute(update(lease_rows).values(token=lease_rows.c.token + 1, holder="another"))
    assert runner.execute(job_of(nothing), Slot(now())) is None
    runner.lost(LostSlots("task", now(), now(), 1, Outcome.SKIPPED, "still running"))
    assert rows_of(runner.state) == []


def test_a_failed_start_is_recorded_under_its_own_lead(lite: Runner) -> None:
    # Given: a slot that was entered by a daemon that leads, and a state database that is away.
    # What happens: the run cannot begin, and the daemon has another lease by then. What must hold: it is recorded.
    entered = lite.enter(job_of(nothing), Slot(now()))
    lite.state.stop("away")
    lite.journal.settle()
    lite.state.stop("")
    lite.leadership.take(Fence("daemon", 99))
    assert lite.carry_out(entered) is None
    assert [row.outcome for row in rows_of(lite.state)] == ["failed"]


def test_a_slot_that_another_process_runs_is_left_to_it(lite: Runner) -> None:
    slot = now()
    with lite.state.begin() as connection:
        run_records.start(connection, "task", "schedule", slot, slot, False, "another")
    lite.lost(LostSlots("task", slot, slot, 1, Outcome.FAILED, "the run could not be recorded: away"))
    assert [row.outcome for row in rows_of(lite.state)] == [None]
