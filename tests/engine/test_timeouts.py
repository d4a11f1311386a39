"""Timeouts: a task over its time ends at its next safe point, and its run is timed out whatever it says."""

import json
import time

from janitor.engine.runner import Runner
from janitor.errors import Unavailable
from janitor.runs import current_run
from tests.small_engine import outcomes, rows_of, run_by_hand


def use_up_the_time() -> None:
    """Let the time of the current run be over."""
    current_run().deadline = time.monotonic() - 1


def test_a_task_over_its_time_ends_at_a_safe_point(lite: Runner) -> None:
    passed: list[str] = []

    def task() -> None:
        current_run().progress(1)
        use_up_the_time()
        passed.append("the first safe point")
        current_run().progress(2)
        passed.append("the second safe point")

    run_by_hand(lite, task, timeout=90)
    row = rows_of(lite.state)[0]
    assert (row.outcome, row.reason) == ("timed_out", "over its timeout of 90 s")
    assert "in task" in row.traceback and passed == ["the first safe point"]


def test_a_task_that_returns_late_is_timed_out(lite: Runner) -> None:
    def task() -> dict[str, int]:
        use_up_the_time()
        return {"rows": 3}

    run_by_hand(lite, task)
    row = rows_of(lite.state)[0]
    assert row.outcome == "timed_out" and "it finished" in row.reason
    assert json.loads(row.counts) == {"rows": 3}


def test_a_call_bounded_by_the_deadline_is_timed_out(lite: Runner) -> None:
    def task() -> None:
        use_up_the_time()
        raise Unavailable("the statement was stopped")

    run_by_hand(lite, task)
    assert outcomes(lite.state) == ["timed_out"]
