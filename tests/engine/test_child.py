"""A task in a process of its own: what comes back from it, and how it ends."""

import asyncio
import functools
import json
import logging
import multiprocessing
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import URL

from janitor.engine.runner import Runner
from janitor.errors import Interrupted, Rejected, Skip
from tests.engine.children import alive, sleep, until_asked
from tests.small_engine import eventually, lines_of, outcomes, rows_of, run_by_hand, runner_for, settings_for

log = logging.getLogger("some.library")


@pytest.fixture
def runner(tmp_path: Path) -> Iterator[Runner]:
    url = URL.create("sqlite", database=str(tmp_path / "state.db"))
    with runner_for(settings_for(url, tmp_path, GRACE_SECONDS="1", RABBITMQ_PASSWORD="very-secret")) as made:
        yield made


def in_trouble(kind: str) -> None:
    if kind == "boom":
        raise ValueError("boom with very-secret")
    if kind == "leaf":
        raise Rejected("the table is missing")
    if kind == "skip":
        raise Skip("nothing to do")
    if kind == "exit":
        os._exit(7)
    if kind == "system exit":
        raise SystemExit(3)
    if kind == "crash":
        os.kill(os.getpid(), signal.SIGSEGV)


def crash_at_once() -> None:
    for number in range(500):
        log.info("%d", number)
    os.kill(os.getpid(), signal.SIGKILL)


def children_of(pid: int) -> list[int]:
    found = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
    return [int(one) for one in found]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "outcome", "reason", "traced"),
    [
        ("boom", "failed", "ValueError: boom with ***", "in in_trouble"),
        ("leaf", "failed", "the table is missing", "janitor.errors.Rejected"),
        ("skip", "skipped", "nothing to do", None),
        ("exit", "failed", "its process ended without a result, exit code 7", "ChildFailed"),
        ("system exit", "failed", "SystemExit: 3", "in in_trouble"),
        ("crash", "failed", "its process ended without a result, exit code -11", "ChildFailed"),
    ],
)
def test_every_end_of_a_child_has_its_outcome(
    runner: Runner, kind: str, outcome: str, reason: str, traced: str | None
) -> None:
    run_by_hand(runner, in_trouble, kind, isolation="process")
    (row,) = rows_of(runner.state)
    assert row.outcome == outcome and row.reason.startswith(reason)
    assert traced in row.traceback if traced else row.traceback is None
    assert "very-secret" not in (row.traceback or "")


class Counting:
    def __init__(self, rows: int) -> None:
        self.rows = rows

    async def method(self, more: int = 0) -> dict[str, int]:
        await asyncio.sleep(0)
        return {"rows": self.rows + more}

    async def __call__(self) -> dict[str, int]:
        return await self.method()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("function", "rows"),
    [(Counting(2), 2), (Counting(3).method, 3), (functools.partial(Counting(3).method, more=1), 4)],
    ids=["object", "method", "partial"],
)
def test_every_form_of_a_coroutine_runs_in_a_process(runner: Runner, function: Callable[[], object], rows: int) -> None:
    _, ending = run_by_hand(runner, function, isolation="process")
    assert (ending.outcome, ending.counts) == ("succeeded", {"rows": rows}), ending.reason


def test_lines_of_a_child_that_crashes_are_not_lost(runner: Runner) -> None:
    run_id, _ = run_by_hand(runner, crash_at_once, isolation="process")
    assert outcomes(runner.state) == ["failed"]
    assert lines_of(runner.state, run_id) == [str(number) for number in range(500)]


def test_a_child_over_its_time_is_killed_with_all_it_started(runner: Runner, tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    began: list[int] = []

    def note() -> None:
        eventually(lambda: pid_file.exists() and pid_file.read_text(encoding="ascii"))
        child = int(pid_file.read_text(encoding="ascii"))
        began.extend([child, *eventually(lambda: children_of(child))])
        for live in list(runner.live.values()):
            live.run.deadline = time.monotonic()

    noted = threading.Thread(target=note)
    noted.start()
    run_by_hand(runner, sleep, str(pid_file), isolation="process", timeout=50)
    noted.join()
    assert [(row.outcome, row.reason) for row in rows_of(runner.state)] == [("timed_out", "over its timeout of 50 s")]
    assert len(began) == 2
    eventually(lambda: not any(alive(pid) for pid in began))


def test_a_child_asked_to_stop_comes_to_a_safe_point(runner: Runner, tmp_path: Path) -> None:
    run_id = stopped(runner, until_asked, tmp_path)
    assert [(row.outcome, row.reason) for row in rows_of(runner.state)] == [("interrupted", "going down")]
    assert lines_of(runner.state, run_id) == ["came to a safe point"]


def test_a_child_that_does_not_stop_is_killed(runner: Runner, tmp_path: Path) -> None:
    stopped(runner, sleep, tmp_path)
    assert outcomes(runner.state) == ["interrupted"]
    child = int((tmp_path / "pid").read_text(encoding="ascii"))
    eventually(lambda: not alive(child))


def stopped(runner: Runner, task: object, folder: Path) -> int:
    """Run a task in a process, and ask it to stop once it goes on."""
    pid_file = folder / "pid"

    def ask() -> None:
        eventually(lambda: pid_file.exists() and pid_file.read_text(encoding="ascii"))
        for live in list(runner.live.values()):
            live.run.ask_to_stop(Interrupted("going down"))

    asker = threading.Thread(target=ask)
    asker.start()
    run_id, _ = run_by_hand(runner, task, str(pid_file), isolation="process")  # type: ignore[arg-type]
    asker.join()
    return run_id


def test_a_task_that_cannot_be_sent_fails_the_run(runner: Runner) -> None:
    run_by_hand(runner, in_trouble, threading.Lock(), isolation="process")
    (row,) = rows_of(runner.state)
    assert row.outcome == "failed" and "pickle" in row.reason


def square(number: int) -> int:
    return number * number


def use_pool() -> dict[str, int]:
    with multiprocessing.Pool(2) as pool:
        return {"sum": sum(pool.map(square, range(5)))}


def print_in_pool() -> None:
    with multiprocessing.Pool(1) as pool:
        pool.apply(print, ("it has sesame-17",))
        pool.apply(log.error, ("it has sesame-17",))


def leave_children() -> dict[str, int | None]:
    """Leave a program and a process at work; both are of the run's process group."""
    left = multiprocessing.Process(target=time.sleep, args=(60,), daemon=True)
    left.start()
    return {"program": subprocess.Popen(["sleep", "60"]).pid, "process": left.pid}


def fork_and_return() -> dict[str, int]:
    pid = os.fork()
    if pid:
        return {"code": os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])}
    log.info("this is no line of the run, and harms it not")
    raise SystemExit(3)


def test_what_a_child_of_a_process_prints_is_masked(runner: Runner, capfd: pytest.CaptureFixture[str]) -> None:
    runner.settings.keep_secret("KEY", "sesame-17")
    run_by_hand(runner, print_in_pool, isolation="process")
    (row,) = rows_of(runner.state)
    out, err = capfd.readouterr()
    assert row.outcome == "succeeded" and "it has ***" in out and "it has ***" in err and "sesame" not in out + err


def test_the_format_of_lines_holds_for_children_of_a_process(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    url = URL.create("sqlite", database=str(tmp_path / "state.db"))
    with runner_for(settings_for(url, tmp_path, LOG_FORMAT="json")) as made:
        run_by_hand(made, print_in_pool, isolation="process")
    (line,) = capfd.readouterr().err.splitlines()
    assert json.loads(line)["event"] == "it has sesame-17"


def test_a_task_in_a_process_may_have_children(runner: Runner) -> None:
    run_by_hand(runner, use_pool, isolation="process")
    (row,) = rows_of(runner.state)
    assert (row.outcome, row.counts) == ("succeeded", '{"sum": 30}'), row.reason


def test_what_a_task_in_a_process_leaves_dies_with_its_run(runner: Runner) -> None:
    _, ending = run_by_hand(runner, leave_children, isolation="process")
    left = [int(pid) for pid in (ending.counts or {}).values()]
    assert len(left) == 2
    eventually(lambda: not any(alive(pid) for pid in left))


@pytest.mark.slow
def test_a_child_of_a_task_in_a_process_tells_the_parent_nothing(runner: Runner) -> None:
    run_id, ending = run_by_hand(runner, fork_and_return, isolation="process")
    assert (ending.outcome, ending.counts) == ("succeeded", {"code": 3})
    assert lines_of(runner.state, run_id) == []
