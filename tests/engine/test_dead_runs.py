"""Dead runs: what a dead process left open is closed, and what a living process does is left alone."""

import logging
from datetime import timedelta

import pytest

from janitor.engine.dead_runs import GONE, close_all, close_one
from janitor.engine.observers import Observers
from janitor.engine.runner import Runner
from janitor.errors import Fenced
from janitor.runs import Fence
from janitor.state import leases
from tests.engine.keeping import ELSEWHERE, lease
from tests.engine.told import Told
from tests.small_engine import now, outcomes, remember_run, rows_of

MINUTE = timedelta(minutes=1)


def test_a_dead_run_is_closed_with_its_attempts_and_time(lite: Runner) -> None:
    began = now()
    remember_run(lite.state, "task", began, None, attempts=3)
    with lite.state.begin() as connection:
        close_one(connection, rows_of(lite.state)[0], began + 2 * MINUTE)
    (row,) = rows_of(lite.state)
    assert (row.outcome, row.reason, row.attempts, row.seconds) == ("interrupted", GONE, 3, 120.0)
    assert row.ended_at == began + 2 * MINUTE


def test_a_dead_run_that_began_in_the_future_took_no_time(lite: Runner) -> None:
    # As after the clock was set back.
    remember_run(lite.state, "task", now() + 60 * MINUTE, None)
    with lite.state.begin() as connection:
        close_one(connection, rows_of(lite.state)[0], now())
    assert rows_of(lite.state)[0].seconds == 0.0


def test_all_that_the_dead_left_is_closed_and_told(runner: Runner, caplog: pytest.LogCaptureFixture) -> None:
    # Given the open runs of a process that is gone and of a process that lives. Each holds its job's lease.
    # All dead runs are closed.
    # The dead process's run and lease are closed, an observer is told; the living process is left alone.
    told, observers, slot = Told(), Observers(), now()
    observers.append(told)
    with runner.state.begin() as connection:
        moment = runner.state.now(connection)
        leases.acquire(connection, "job:dead", "dead", moment, -60)
        leases.acquire(connection, "job:living", ELSEWHERE, moment, 60)
    remember_run(runner.state, "dead", slot, None, holder="dead")
    remember_run(runner.state, "living", slot, None, holder=ELSEWHERE)
    remember_run(runner.state, "over", slot, "succeeded", holder="dead")
    assert runner.lead.fence is not None
    with caplog.at_level(logging.WARNING):
        close_all(runner.state, runner.lead.fence, observers)
    assert outcomes(runner.state) == ["interrupted", None, "succeeded"]
    assert (lease(runner, "job:dead").holder, lease(runner, "job:living").holder) == (None, ELSEWHERE)
    dead = rows_of(runner.state)[0]
    assert [(one.job, one.first_at, one.slots, one.reason) for one in told.slots] == [("dead", dead.slot_at, 1, GONE)]
    assert f"run {dead.id} of dead is recorded as interrupted: the process that ran it is gone" in caplog.text


def test_a_run_without_a_slot_is_told_by_its_start(lite: Runner) -> None:
    told, observers = Told(), Observers()
    observers.append(told)
    remember_run(lite.state, "task", None, None, started_at=now(), holder="dead")  # type: ignore[arg-type]
    assert lite.lead.fence is not None
    close_all(lite.state, lite.lead.fence, observers)
    assert [one.first_at for one in told.slots] == [rows_of(lite.state)[0].started_at]


def test_who_does_not_lead_closes_nothing(lite: Runner) -> None:
    told, observers = Told(), Observers()
    observers.append(told)
    remember_run(lite.state, "task", now(), None, holder="dead")
    with pytest.raises(Fenced):
        close_all(lite.state, Fence("daemon", 99), observers)
    assert outcomes(lite.state) == [None] and told.slots == []
