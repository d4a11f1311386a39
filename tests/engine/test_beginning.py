"""Beginning: which runs may begin, and what is recorded of those that may not."""

from dataclasses import replace

import pytest
from sqlalchemy import event

from janitor.engine.dead_runs import UNTOLD
from janitor.engine.runner import Runner
from janitor.engine.stages import Slot
from janitor.errors import Skip
from janitor.jobs import schedules
from janitor.runs import Outcome
from janitor.state import job_records, leases, run_records
from janitor.state.run_records import BY_HAND
from janitor.state.slot_records import LostSlots
from tests.small_engine import SECOND, job_of, nothing, now, outcomes, rows_of


def test_a_paused_job_skips_its_slots_as_one_record(runner: Runner) -> None:
    job, first = replace(job_of(nothing), trigger=schedules.every(1)), now().replace(microsecond=0)
    with runner.state.begin() as connection:
        assert job_records.pause(connection, job.id, job.schedule, first, "me")
        assert not job_records.pause(connection, job.id, job.schedule, first, "me")
    for number in range(1, 4):
        assert runner.execute(job, Slot(first + number * SECOND)) is None
    (row,) = rows_of(runner.state)
    assert (row.outcome, row.reason, row.slots) == ("skipped", "paused", 3)
    assert (row.slot_at, row.slot_until_at) == (first + SECOND, first + 3 * SECOND)
    assert runner.execute(job, Slot(None, BY_HAND)) is not None
    with runner.state.begin() as connection:
        assert job_records.resume(connection, job.id)
    assert runner.execute(job, Slot(first + 4 * SECOND)) is not None
    assert outcomes(runner.state) == ["skipped", "succeeded", "succeeded"]


def test_a_start_takes_three_statements(lite: Runner) -> None:
    """Given a job that has run before. A thousand jobs may be due in the same second.

    Its next start must look once at what matters, take the lease, and make the run's row: no statement more.
    """
    job, sent = job_of(nothing), list[str]()
    lite.execute(job, Slot(None, BY_HAND))
    event.listen(lite.state.engine, "before_cursor_execute", lambda *given: sent.append(given[2].split()[0]))
    lite.journal.result(lite.enter(job, Slot(None, BY_HAND)).start)
    assert sent == ["BEGIN", "SELECT", "UPDATE", "INSERT"]


def test_a_job_that_runs_elsewhere_is_skipped_there(runner: Runner) -> None:
    job = job_of(nothing)
    with runner.state.begin() as connection:
        moment = runner.state.now(connection)
        leases.acquire(connection, "job:task", "elsewhere|||1||x", moment, 60)
        number = run_records.start(connection, "task", BY_HAND, None, moment, False, "elsewhere|||1||x")
    assert runner.execute(job, Slot(now())) is None
    assert (rows_of(runner.state)[1].outcome, rows_of(runner.state)[1].reason) == (
        "skipped",
        f"still running in another process (run {number})",
    )
    with pytest.raises(Skip, match=f"run {number}"):
        runner.execute(job, Slot(None, BY_HAND))


def test_a_slot_that_has_an_outcome_does_not_run_again(runner: Runner, caplog: pytest.LogCaptureFixture) -> None:
    ran: list[int] = []
    job, slot = job_of(lambda: ran.append(1)), Slot(now())
    assert runner.execute(job, slot) is not None
    assert runner.execute(job, slot) is None
    assert ran == [1] and outcomes(runner.state) == ["succeeded"]
    assert "failed" not in caplog.text
    assert runner.execute(job, Slot(now())) is not None


def test_a_slot_that_was_counted_as_lost_does_not_run_late(lite: Runner) -> None:
    # Given: a stretch of slots that is on record as missed. What happens: a run for a slot in its middle begins late,
    # as from a thread that hung. What must hold: the slot has one outcome.
    ran: list[int] = []
    job, first = replace(job_of(lambda: ran.append(1)), trigger=schedules.every(1)), now().replace(microsecond=0)
    lite.lost(LostSlots(job.id, first, first + 4 * SECOND, 5, Outcome.MISSED, "asleep", job.trigger))
    for number in (0, 2, 4):
        assert lite.execute(job, Slot(first + number * SECOND)) is None
    assert ran == [] and outcomes(lite.state) == ["missed"]
    assert lite.execute(job, Slot(first + 5 * SECOND)) is not None


def test_an_open_run_of_one_s_own_does_not_block_its_job(runner: Runner) -> None:
    # As when the answer to the commit of its start was lost: the row is there, and nobody runs it.
    job = job_of(nothing)
    with runner.state.begin() as connection:
        moment = runner.state.now(connection)
        leases.acquire(connection, "job:task", runner.holder, moment, 60)
        run_records.start(connection, "task", "schedule", now(), moment, False, runner.holder)
    assert runner.execute(job, Slot(now())) is not None
    assert outcomes(runner.state) == ["interrupted", "succeeded"]
    assert rows_of(runner.state)[0].reason == UNTOLD


def test_who_does_not_lead_starts_and_records_nothing(runner: Runner, caplog: pytest.LogCaptureFixture) -> None:
    ran: list[int] = []
    runner.leadership.take(None)
    assert runner.execute(job_of(lambda: ran.append(1)), Slot(now())) is None
    runner.lost(LostSlots("task", now(), now(), 1, Outcome.MISSED, "asleep"))
    assert ran == [] and rows_of(runner.state) == [] and runner.waiting == 0
    assert "did not start" in caplog.text and "not recorded" in caplog.text
