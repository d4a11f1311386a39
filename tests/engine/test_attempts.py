"""Attempts: what a task returns or raises becomes an ending, and a failed attempt is made again."""

import asyncio
import functools
import gc
import json
import math
import sys
import weakref
from datetime import timedelta

import pytest

from janitor.engine.attempts import pause_seconds
from janitor.engine.runner import Runner
from janitor.errors import Cancelled, Interrupted, Rejected, Skip, Unavailable
from janitor.runs import Outcome, bounds, current_run
from janitor.state import log_lines, run_records
from tests.small_engine import lines_of, outcomes, rows_of, run_by_hand


@pytest.mark.parametrize(
    ("error", "outcome", "reason"),
    [
        (ValueError("boom\nand more"), "failed", "ValueError: boom"),
        (Rejected("the table is missing"), "failed", "the table is missing"),
        (Unavailable("the server is away"), "failed", "the server is away"),
        (Skip("nothing to do"), "skipped", "nothing to do"),
        (Cancelled("asked to"), "cancelled", "asked to"),
        (Interrupted("going down"), "interrupted", "going down"),
        (SystemExit(3), "failed", "SystemExit: 3"),
        (asyncio.CancelledError("leaked"), "failed", "CancelledError: leaked"),
        (KeyboardInterrupt(), "failed", "KeyboardInterrupt"),
        (MemoryError(), "failed", "MemoryError"),
        (UnicodeDecodeError("utf-8", b"\xff", 0, 1, "odd"), "failed", "UnicodeDecodeError: 'utf-8'"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else "",
)
def test_every_error_has_its_outcome(lite: Runner, error: BaseException, outcome: str, reason: str) -> None:
    def task() -> None:
        hidden_value = "-".join(("local", "value"))
        raise error from (RuntimeError("cause") if hidden_value else None)

    run_by_hand(lite, task)
    row = rows_of(lite.state)[0]
    assert row.outcome == outcome and row.reason.startswith(reason) and "\n" not in row.reason
    if outcome == "failed":
        assert "RuntimeError: cause" in row.traceback and "local-value" not in row.traceback
    else:
        assert row.traceback is None


def test_an_error_that_has_no_text_is_recorded_too(lite: Runner) -> None:
    class Odd(Exception):
        def __str__(self) -> str:
            raise RuntimeError

    def task() -> None:
        raise Odd("surrogate \udcff")

    run_by_hand(lite, task)
    assert outcomes(lite.state) == ["failed"] and "Odd" in rows_of(lite.state)[0].reason


def test_what_a_failed_task_held_is_let_go(lite: Runner) -> None:
    """Given a task with an object in a variable, an open connection for example.

    The task fails. The object must be gone once the run has ended, without a garbage collection.
    """

    class Held:
        """What a task holds."""

    held: list[weakref.ref[Held]] = []

    def task() -> None:
        mine = Held()
        held.append(weakref.ref(mine))
        raise ValueError

    gc.disable()
    try:
        assert run_by_hand(lite, task)[1].outcome == "failed"
        assert held[0]() is None
    finally:
        gc.enable()


def test_a_reason_that_no_database_takes_is_made_one(runner: Runner) -> None:
    def task() -> None:
        raise ValueError("file \udcff is odd \U0001f9ea")

    run_by_hand(runner, task)
    row = rows_of(runner.state)[0]
    assert row.outcome == "failed" and "is odd \U0001f9ea" in row.reason


@pytest.mark.parametrize(
    ("returned", "kept"),
    [
        (None, None),
        ("a text", None),
        ({"rows": 3, 4: 1.5}, {"rows": 3, "4": 1.5}),
        ({"when": timedelta(seconds=90)}, {"when": "0:01:30"}),
        ({"nested": {"a": (1, 2)}}, {"nested": "{'a': (1, 2)}"}),
    ],
)
def test_counts_are_kept(lite: Runner, returned: object, kept: object) -> None:
    _, ending = run_by_hand(lite, lambda: returned)
    counts = rows_of(lite.state)[0].counts
    assert (counts and json.loads(counts)) == kept == ending.counts


def test_counts_that_cannot_be_kept_fail_no_run(runner: Runner) -> None:
    """Given a task that counts in every way that no database, reader or page takes.

    It returns. Its run must have succeeded, with what can be kept, and its log must tell what is left out.
    """
    round_about: dict[str, object] = {"rows": 7, "nan": math.nan, "large": 10**400, "half \udcff": "\udcff"}
    round_about |= {f"name{number}": number for number in range(500)} | {"n" * 200: 1, "big": ["x" * 100] * 190_000}
    round_about["me"] = round_about
    run_id, ending = run_by_hand(runner, lambda: round_about)
    (row,) = rows_of(runner.state)
    assert (row.outcome, ending.outcome) == ("succeeded", "succeeded")
    counts = json.loads(row.counts)
    assert len(counts) == 100 and counts["rows"] == 7 and "nan" not in counts and counts["half \\udcff"] == "\\udcff"
    assert any("some counts are left out, nan, large" in line for line in lines_of(runner.state, run_id))


def of_causes(depth: int) -> Exception:
    error = ValueError("the first")
    for number in range(depth):
        later = ValueError(f"number {number}")
        later.__cause__ = error
        error = later
    return error


def within_groups(depth: int) -> Exception:
    error: Exception = ValueError("the innermost")
    for _ in range(depth):
        error = ExceptionGroup("in", [error, error])
    return error


def within_itself(depth: int = 0) -> None:
    try:
        raise ValueError(depth)
    except ValueError:
        within_itself(depth + 1)


def chained(error: BaseException) -> BaseException:
    error.__cause__ = error
    return error


class Meta(type):
    def __getattribute__(cls, name: str) -> object:
        raise RuntimeError(f"no {name}")


class OfMeta(Exception, metaclass=Meta):
    """Has a class that answers nothing."""


class Liar(Exception):
    @property  # type: ignore[misc]
    def __class__(self) -> type:
        raise SystemExit(1)

    def __str__(self) -> str:
        raise KeyboardInterrupt

    __repr__ = __str__


class HostileRejected(Rejected):
    @property
    def __cause__(self) -> BaseException:  # type: ignore[override]
        raise MemoryError

    @property
    def __notes__(self) -> list[str]:  # type: ignore[override]
        raise SystemExit(3)


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (of_causes(3_000), "ValueError: number 2999"),
        (chained(ValueError("my own cause")), "ValueError: my own cause"),
        (OfMeta("quiet"), "OfMeta: quiet"),
        (Liar(), "Liar: <exception str() failed>"),
        (HostileRejected("the table is missing"), "the table is missing"),
        (ValueError("x" * 3_000_000), "ValueError: xxx"),
        (ExceptionGroup("many", [ValueError("y" * 10_000)] * 5_000), "ExceptionGroup: many (5000 sub-exceptions)"),
        (within_groups(40), "ExceptionGroup: in (2 sub-exceptions)"),
        (SyntaxError("odd", ("f.py", 1, 2, "x" * 1_000_000)), "SyntaxError: odd"),
        (ValueError(10**5_000), "ValueError: <exception str() failed>"),
    ],
    ids=["causes", "circle", "metaclass", "liar", "properties", "long", "wide", "deep", "syntax", "digits"],
)
def test_describing_a_failure_cannot_fail(runner: Runner, error: BaseException, reason: str) -> None:
    """Given an error that is hard to describe.

    A task raises it. Its run must be recorded as failed, with a reason and a traceback of bounded size.
    """

    def task() -> None:
        raise error

    run_id, ending = run_by_hand(runner, task)
    (row,) = rows_of(runner.state)
    assert row.outcome == "failed" and row.reason.startswith(reason), row.reason[:300]
    assert len(row.reason.encode()) <= bounds.REASON and len(row.traceback.encode()) <= bounds.TRACEBACK
    assert "in task" in row.traceback
    with runner.state.begin() as connection:
        assert sum(1 for _ in log_lines.of_run(connection, run_id)) >= 2


def test_a_recursion_in_its_own_except_is_told(lite: Runner) -> None:
    run_by_hand(lite, within_itself)
    (row,) = rows_of(lite.state)
    assert row.outcome == "failed" and row.reason.startswith("RecursionError: maximum recursion depth")
    assert "within_itself" in row.traceback and len(row.traceback) <= bounds.TRACEBACK


async def wait_for_ever() -> None:
    lite_run = current_run()
    lite_run.ask_to_stop(Interrupted("going down"))
    await asyncio.sleep(3_600)


async def count_slowly() -> dict[str, int]:
    await asyncio.sleep(0.01)
    return {"run": current_run().id}


@pytest.mark.parametrize("isolation", ["thread", "process"])
def test_a_coroutine_is_a_task(lite: Runner, isolation: str) -> None:
    run_id, ending = run_by_hand(lite, count_slowly, isolation=isolation)
    assert (ending.outcome, ending.counts) == ("succeeded", {"run": run_id})


def test_a_coroutine_asked_to_stop_is_interrupted(lite: Runner) -> None:
    run_by_hand(lite, wait_for_ever)
    (row,) = rows_of(lite.state)
    assert (row.outcome, row.reason) == ("interrupted", "going down")


@pytest.mark.slow
@pytest.mark.parametrize("isolation", ["thread", "process"])
def test_a_task_that_leaves_with_code_0_has_succeeded(lite: Runner, isolation: str) -> None:
    for left in (sys.exit, functools.partial(sys.exit, 0)):
        run_by_hand(lite, left, isolation=isolation)
    assert outcomes(lite.state) == ["succeeded", "succeeded"]
    run_by_hand(lite, sys.exit, "no rows today", isolation=isolation)
    (row,) = rows_of(lite.state)[2:]
    assert (row.outcome, row.reason) == ("failed", "SystemExit: no rows today")


def test_each_attempt_is_in_the_history(runner: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    pauses = shortened(monkeypatch)
    numbers = []

    def task() -> dict[str, int]:
        numbers.append(current_run().attempt)
        if len(numbers) < 4:
            raise ValueError(f"try {len(numbers)}")
        return {"rows": 3}

    run_id, ending = run_by_hand(runner, task, retries=5)
    assert numbers == [1, 2, 3, 4] and ending.attempts == 4
    row = rows_of(runner.state)[0]
    assert (row.outcome, row.attempts) == ("succeeded", 4)
    with runner.state.begin() as connection:
        made = run_records.attempts_of(connection, run_id)
    assert [(one.number, one.outcome, one.reason) for one in made] == [
        (1, "failed", "ValueError: try 1"),
        (2, "failed", "ValueError: try 2"),
        (3, "failed", "ValueError: try 3"),
        (4, "succeeded", None),
    ]
    assert all("try" in one.traceback for one in made[:3])
    # 1, 2, 4 seconds, each with up to a second more.
    assert [int(pause) in (floor, floor + 1) for pause, floor in zip(pauses, (1, 2, 4), strict=True)] == [True] * 3


def shortened(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Let no retry wait; how long each would have."""
    from janitor.runs import Run

    pauses: list[float] = []
    monkeypatch.setattr(Run, "sleep", lambda run, seconds: pauses.append(seconds))
    return pauses


def test_the_last_attempt_tells_why_a_run_failed(lite: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    shortened(monkeypatch)

    def task() -> None:
        raise ValueError(f"try {current_run().attempt}")

    run_id, _ = run_by_hand(lite, task, retries=2)
    row = rows_of(lite.state)[0]
    assert (row.outcome, row.reason, row.attempts) == ("failed", "ValueError: try 3", 3)
    with lite.state.begin() as connection:
        assert len(run_records.attempts_of(connection, run_id)) == 3


def test_a_failed_attempt_is_kept_when_time_is_over(lite: Runner) -> None:
    def task() -> None:
        raise ValueError("the first and only try")

    run_id, ending = run_by_hand(lite, task, retries=3, timeout=0.9)
    assert ending.outcome is Outcome.TIMED_OUT
    with lite.state.begin() as connection:
        assert [one.reason for one in run_records.attempts_of(connection, run_id)] == [
            "ValueError: the first and only try"
        ]


def test_what_is_no_failure_is_not_tried_again(lite: Runner) -> None:
    def task() -> None:
        raise Skip("nothing to do")

    run_by_hand(lite, task, retries=3)
    assert [(row.outcome, row.attempts) for row in rows_of(lite.state)] == [("skipped", 1)]


def test_a_run_asked_to_stop_is_interrupted(lite: Runner) -> None:
    def task() -> None:
        lite.live[current_run().id].run.ask_to_stop(Interrupted("going down"))
        current_run().sleep(60)

    run_by_hand(lite, task)
    assert [(row.outcome, row.reason) for row in rows_of(lite.state)] == [("interrupted", "going down")]


@pytest.mark.parametrize(
    ("error", "outcome", "reason"),
    [
        (Unavailable("the connection was closed"), "interrupted", "going down"),
        (Skip("nothing to do"), "skipped", "nothing to do"),
        (ValueError("boom"), "failed", "ValueError: boom"),
    ],
    ids=["of Janitor", "a skip", "of the task"],
)
def test_what_a_stop_brings_about_is_no_failure(lite: Runner, error: Exception, outcome: str, reason: str) -> None:
    def task() -> None:
        lite.live[current_run().id].run.ask_to_stop(Interrupted("going down"))
        raise error

    run_by_hand(lite, task)
    assert [(row.outcome, row.reason) for row in rows_of(lite.state)] == [(outcome, reason)]


def test_recursion_ends_the_run_and_not_the_daemon(lite: Runner) -> None:
    def task(depth: int) -> None:
        task(depth + 1)

    limit = sys.getrecursionlimit()
    run_by_hand(lite, task, 1)
    assert sys.getrecursionlimit() == limit
    assert "RecursionError" in rows_of(lite.state)[0].reason


@pytest.mark.parametrize(
    ("attempt", "least", "most"), [(1, 1, 2), (2, 2, 3), (5, 16, 17), (9, 256, 257), (99, 300, 300)]
)
def test_pauses_grow_up_to_five_minutes(attempt: int, least: float, most: float) -> None:
    assert all(least <= pause_seconds(attempt) <= most for _ in range(50))
