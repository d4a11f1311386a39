"""A run by hand in this process: its report, the signals that stop it, and what is kept from the terminal."""

import logging
import os
import pwd
import signal
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import URL

from janitor.engine.runner import Runner
from janitor.errors import Skip
from janitor.jobs.dependencies import NotReady
from janitor.runs import Outcome, current_run
from janitor.verbs import run_here
from janitor.verbs.run_here import Report, Stopper
from tests.command_line import USER, CommandLine, wait_for
from tests.small_engine import eventually, job_of, nothing, outcomes, rows_of, runner_for, settings_for
from tests.verbs.house import is_running, recorded


@pytest.fixture
def runner(tmp_path: Path) -> Iterator[Runner]:
    """A runner that does not lead, as each run by hand has."""
    url = URL.create("sqlite", database=str(tmp_path / "state.db"))
    with runner_for(settings_for(url, tmp_path), leads=False) as made:
        yield made


def run(runner: Runner, func: Callable[..., object], *args: Any, dry_run: bool = False, **options: Any) -> Report:
    """Run a task by hand; `janitor show` shows runs."""
    job = job_of(func, *args, id="task", **options)
    with Stopper(runner) as stopper:
        return run_here.run(runner, job, stopper=stopper, dry_run=dry_run, show_command="janitor show")


def counts() -> dict[str, int]:
    """Return counts."""
    return {"checked": 7, "inserted": 5}


def breaks() -> None:
    """Fail with an error of two lines."""
    raise ValueError("cannot use it\nat all")


def declines() -> None:
    """Find nothing to do."""
    raise Skip("there is nothing new")


def stopped_by(number: int) -> None:
    """Let the process get a signal, then run on until somebody asks the run to stop."""
    os.kill(os.getpid(), number)
    current_run().sleep(60)


def test_a_report_tells_outcome_counts_and_run(runner: Runner) -> None:
    report = run(runner, counts)
    seconds = rows_of(runner.state)[0].seconds
    assert report == Report(Outcome.SUCCEEDED, f"task succeeded in {seconds:.2f} s: checked=7 inserted=5 (run 1)")
    assert " s (dry run): checked=7 inserted=5 (run 2)" in run(runner, counts, dry_run=True).text


def test_a_report_of_a_failure_is_one_line(runner: Runner) -> None:
    where = "(run 1; `janitor show 1` has the traceback)"
    assert run(runner, breaks) == Report(Outcome.FAILED, f"task failed: ValueError: cannot use it {where}")
    assert run(runner, declines) == Report(Outcome.SKIPPED, "task skipped: there is nothing new (run 2)")


@pytest.mark.parametrize(
    ("number", "outcome", "reason"),
    [
        (signal.SIGINT, Outcome.CANCELLED, f"stopped by {USER} with Ctrl-C"),
        (signal.SIGTERM, Outcome.INTERRUPTED, "the process was asked to stop"),
    ],
)
def test_a_signal_asks_the_run_to_stop(runner: Runner, number: int, outcome: Outcome, reason: str) -> None:
    before = [signal.getsignal(one) for one in (signal.SIGINT, signal.SIGTERM)]
    report = run(runner, stopped_by, number)
    assert (report.outcome, reason in report.text) == (outcome, True)
    assert outcomes(runner.state) == [outcome]
    assert [signal.getsignal(one) for one in (signal.SIGINT, signal.SIGTERM)] == before


def test_a_signal_before_the_run_begins_stops_it_too(runner: Runner) -> None:
    # Given: a run that cannot begin yet, since another process writes to the state database.
    # What happens: Ctrl-C, and then the other process is done. What must hold: the run stops at its first safe point.
    usual = signal.getsignal(signal.SIGINT)
    other = sqlite3.connect(str(runner.state.url.database), isolation_level=None, check_same_thread=False)

    def press() -> None:
        eventually(lambda: signal.getsignal(signal.SIGINT) is not usual)
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(0.3)
        other.execute("ROLLBACK")

    with closing(other):
        other.execute("BEGIN IMMEDIATE")
        presses = threading.Thread(target=press)
        presses.start()
        report = run(runner, lambda: current_run().sleep(60), timeout=20)
        presses.join()
    assert report.outcome == Outcome.CANCELLED and outcomes(runner.state) == ["cancelled"]


def test_a_run_whose_end_waits_says_so(runner: Runner) -> None:
    report = run(runner, lambda: runner.state.stop("away"))
    assert report.outcome == Outcome.SUCCEEDED
    assert report.text.endswith("(run 1; its end is not recorded, as the state database is away)")
    runner.state.stop("")
    runner.flush()
    assert outcomes(runner.state) == ["succeeded"]


def test_a_run_without_its_dependency_does_not_begin(runner: Runner) -> None:
    threads = threading.active_count()
    with pytest.raises(NotReady, match="task depends on crawl, which has not succeeded yet"):
        run(runner, nothing, dependencies=("crawl",))
    assert rows_of(runner.state) == [] and threading.active_count() == threads


def test_a_second_ctrl_c_ends_a_run_at_once(house: CommandLine) -> None:
    with house.started("run", "stick") as process:
        wait_for(lambda: is_running(house, "stick"))
        process.send_signal(signal.SIGINT)
        wait_for((house.folder / "asked").exists)
        assert process.poll() is None
        ended = house.stopped(process, signal.SIGINT)
    assert ended.code == 6
    assert recorded(house, "SELECT outcome, reason FROM runs") == [
        ("interrupted", "it was ended at once, by a second signal")
    ]


@pytest.mark.slow
def test_sigterm_ends_a_run_once_the_grace_is_over(house: CommandLine) -> None:
    # Given a run by hand whose task comes to no safe point. What happens: SIGTERM, as from Kubernetes to a job's pod.
    # What must hold: the process ends soon after the grace; the run is interrupted, and its record says why.
    with house.started("run", "stick", GRACE_SECONDS="0.3") as process:
        wait_for(lambda: is_running(house, "stick"))
        ended = house.stopped(process, signal.SIGTERM)
    assert ended.code == 6
    assert recorded(house, "SELECT outcome, reason FROM runs") == [
        ("interrupted", "it came to no safe point within 0.3 s of the process being asked to stop")
    ]


@pytest.mark.parametrize(
    ("logger", "level", "shown"),
    [
        ("janitor.engine.runner", logging.INFO, False),
        ("janitor.engine.runner", logging.ERROR, False),
        ("janitor.engine.runner", logging.WARNING, True),
        ("janitor.engine.keeper", logging.ERROR, True),
    ],
)
def test_what_the_report_says_anyway_is_not_shown(logger: str, level: int, shown: bool) -> None:
    handler = logging.NullHandler()
    run_here.keep_quiet(handler)
    assert bool(handler.filter(logging.LogRecord(logger, level, "", 0, "said", (), None))) is shown


def test_a_user_is_who_the_machine_says(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.setenv(name, "the_boss")
    assert run_here.user_name() == pwd.getpwuid(os.getuid()).pw_name
    monkeypatch.setattr(os, "getuid", lambda: 54321)
    assert run_here.user_name() == "uid 54321"
