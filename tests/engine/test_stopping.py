"""Stopping in order: runs are asked to stop, waited for, and cut off."""

import os
import signal
import sqlite3
import threading
import time
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import URL

from janitor.engine.runner import Runner
from janitor.runs import current_run
from janitor.scheduler import Scheduler
from tests.small_engine import eventually, outcomes, rows_of, runner_for, settings_for, tick


def test_stopping_asks_runs_and_waits_for_them(starting: Runner, clock: Scheduler) -> None:
    def until_asked() -> None:
        try:
            current_run().sleep(60)
        finally:
            time.sleep(0.3)

    clock.add_job(until_asked, "interval", hours=1)
    assert tick(clock, starting, lambda: starting.live)
    (row,) = rows_of(starting.state)
    assert (row.outcome, row.reason) == ("interrupted", "the daemon was asked to stop")


def test_a_run_that_does_not_stop_is_cut_off(lite_url: URL, tmp_path: Path) -> None:
    let_go = threading.Event()
    with runner_for(settings_for(lite_url, tmp_path, GRACE_SECONDS="0.2"), leads=False) as runner:
        clock = Scheduler(runner.settings)
        clock.add_job(lambda: let_go.wait(30), "interval", hours=1, id="deaf")
        assert tick(clock, runner, lambda: runner.live)
        (row,) = rows_of(runner.state)
        assert row.outcome == "interrupted" and "no safe point within 0.2 s" in row.reason
        let_go.set()


def test_sigterm_stops_the_clock_in_order(starting: Runner, clock: Scheduler) -> None:
    clock.add_job(lambda: current_run().sleep(60), "interval", hours=1, id="task")
    before = signal.getsignal(signal.SIGTERM)

    def send() -> None:
        eventually(lambda: starting.live)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=send, daemon=True).start()
    clock.daemon(starting).run()
    assert outcomes(starting.state) == ["interrupted"]
    assert signal.getsignal(signal.SIGTERM) == before


def test_without_a_free_thread_it_stops_in_order(starting: Runner, clock: Scheduler) -> None:
    # Given a daemon with a run. What happens: it is to stop, at a moment at which no thread can be started: each would
    # need more memory than there is. What must hold: the run is asked to stop, and its end is on record.
    clock.add_job(lambda: current_run().sleep(60), "interval", hours=1, id="task")
    daemon, usual = clock.daemon(starting), threading.stack_size()

    def stop() -> None:
        eventually(lambda: starting.live)
        daemon.ask_to_stop()

    def take_threads() -> None:
        threading.stack_size(1 << 46)

    threading.Thread(target=stop, daemon=True).start()
    try:
        daemon.run(on_stop=take_threads)
    finally:
        threading.stack_size(usual)
    assert outcomes(starting.state) == ["interrupted"]


def test_each_run_that_is_cut_off_is_told_although_the_state_database_hangs(
    lite_url: URL, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    # Given two runs without a safe point. What happens: the state database locks, and the daemon is to stop. What must
    # hold: the log tells which runs are cut off, and what becomes of their records.
    let_go = threading.Event()
    with (
        runner_for(settings_for(lite_url, tmp_path, GRACE_SECONDS="0.2"), leads=False) as runner,
        closing(sqlite3.connect(str(lite_url.database), isolation_level=None, check_same_thread=False)) as other,
    ):
        clock = Scheduler(runner.settings)
        for job in ("deaf", "blind"):
            clock.add_job(lambda: let_go.wait(30), "interval", hours=1, id=job)

        def lock() -> bool:
            if len(runner.live) == 2:
                other.execute("BEGIN IMMEDIATE")
            return other.in_transaction

        assert tick(clock, runner, lock)
        told = [record.getMessage() for record in caplog.records]
        assert {text.split()[3] for text in told if " is cut off: " in text} == {"deaf", "blind"}
        assert any("the next start records what ended here as interrupted" in text for text in told)
        other.execute("ROLLBACK")
        let_go.set()
