"""Dead runs: what a dead process left open is closed, and what a living process does is left alone."""

import logging
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import URL

from janitor.engine.dead_runs import GONE, SILENT, DeadRuns, close_all, close_one
from janitor.engine.observers import Observers
from janitor.engine.runner import Runner
from janitor.errors import Fenced
from janitor.runs import Fence
from janitor.state import leases
from janitor.state.shared_clock import SharedClock
from tests.engine.keeping import ELSEWHERE, lease
from tests.engine.told import Told
from tests.small_engine import SECOND, now, outcomes, remember_run, rows_of, runner_for, settings_for
from tests.state.test_holders import dead_holder

MINUTE = timedelta(minutes=1)


def test_a_dead_run_is_closed_with_its_attempts_and_time(lite: Runner) -> None:
    began = now()
    remember_run(lite.state, "task", began, None, attempts=3, holder=dead_holder())
    with lite.state.begin() as connection:
        close_one(connection, rows_of(lite.state)[0], began + 2 * MINUTE, lite.holder)
    (row,) = rows_of(lite.state)
    assert (row.outcome, row.reason, row.attempts, row.seconds) == ("interrupted", GONE, 3, 120.0)
    assert row.ended_at == began + 2 * MINUTE


def test_a_dead_run_that_began_in_the_future_took_no_time(lite: Runner) -> None:
    # As after the clock was set back.
    remember_run(lite.state, "task", now() + 60 * MINUTE, None)
    with lite.state.begin() as connection:
        close_one(connection, rows_of(lite.state)[0], now(), lite.holder)
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
    assert [(one.job, one.first_at, one.slots, one.reason) for one in told.slots] == [("dead", dead.slot_at, 1, SILENT)]
    assert f"run {dead.id} of dead is recorded as interrupted: {SILENT}" in caplog.text


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


def test_a_run_whose_process_dies_while_another_leads_is_closed(lite_url: URL, tmp_path: Path) -> None:
    # Given: a daemon that leads, and a run of a process elsewhere that took its lease a moment ago, and died.
    # What must hold: its run is closed after its lease's time and as long again, not at its job's next slot.
    began, boot = now(), [100.0]
    clock = SharedClock(lambda connection: began + (boot[0] - 100) * SECOND, now, lambda: boot[0])
    with runner_for(settings_for(lite_url, tmp_path), clock=clock) as runner:
        with runner.state.begin() as connection:
            leases.acquire(connection, "job:task", ELSEWHERE, runner.state.now(connection), 30)
        remember_run(runner.state, "task", began, None, holder=ELSEWHERE)
        dead = DeadRuns(runner.state, lambda: runner.lead.fence, Observers(), 30)
        ended = 0
        while outcomes(runner.state) == [None]:
            boot[0] += 1
            ended += 1
            dead.look()
        assert 60 <= ended <= 91 and lease(runner, "job:task").holder is None
        assert rows_of(runner.state)[0].reason == SILENT


def test_after_an_outage_all_have_time_to_renew_their_leases(lite_url: URL, tmp_path: Path) -> None:
    # Given: a daemon that leads, and a run elsewhere. What happens: the state database is away for an hour.
    # What must hold: once it is back, the run's process has time to renew its lease.
    began, boot = now(), [100.0]
    clock = SharedClock(lambda connection: began + (boot[0] - 100) * SECOND, now, lambda: boot[0])
    with runner_for(settings_for(lite_url, tmp_path), clock=clock) as runner:
        with runner.state.begin() as connection:
            leases.acquire(connection, "job:task", ELSEWHERE, runner.state.now(connection), 30)
        remember_run(runner.state, "task", began, None, holder=ELSEWHERE)
        dead = DeadRuns(runner.state, lambda: runner.lead.fence, Observers(), 30)
        dead.look()
        boot[0] += 3600
        for _ in range(29):
            dead.look()
            boot[0] += 1
        assert outcomes(runner.state) == [None]
