"""One try of a step on an item: what it returns or raises, and what is kept of it."""

import logging
from collections.abc import Callable
from datetime import date, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any, NoReturn

import pytest

from janitor.errors import DeadlineExceeded, Rejected, Skip, Unavailable
from janitor.items import Failed, Item, Step, current_item
from janitor.items.pipeline import Pipeline
from janitor.items.trying import LONGEST_PAUSE_SECONDS, Returned, Trying, most_deaths, pause
from janitor.runs import Run, current_run
from janitor.state.item_claims import Claimed
from tests.items.house import House, come, house, succeeded
from tests.small_engine import lines_of, lite_state, now

log = logging.getLogger("some.library")
STATUSES = {"no host": "error", "few filters": "warning", "none needed": "ok"}
Do = Callable[[Item], Any]


class Status(StrEnum):
    FEW = "few filters"


class Hostile(Exception):
    def __str__(self) -> str:
        raise ValueError("this error tells nothing")


class Unshowable:
    def __repr__(self) -> str:
        raise ValueError("this value shows nothing")


def gives(value: Any) -> Do:
    """A step that returns a value."""
    return lambda item: value


def raises(error: BaseException) -> Do:
    """A step that raises."""

    def do(item: Item) -> NoReturn:
        raise error

    return do


def leaves(result: Any) -> Do:
    """A step that leaves a result."""

    def do(item: Item) -> None:
        item.result = result

    return do


def wait(item: Item) -> None:
    """Go on until it is asked to stop."""
    while True:
        current_run().sleep(0.01)


def tried(folder: Path, do: Do, **options: Any) -> tuple[House, Any, Any]:
    """Have one item tried once; the house, the row of its step, and its attempt."""
    folder.mkdir(exist_ok=True)
    with house(lite_state(folder / "state.db"), folder, Step("only", do, **options), statuses=STATUSES) as made:
        made.add("k")
        succeeded(made.do("only"))
        [attempt] = made.attempts("k")
        made.check_counts()
        return made, made.steps("k")["only"], attempt


@pytest.mark.parametrize(
    ("do", "status", "reason"),
    [
        (gives(None), "processed", None),
        (gives("few filters"), "few filters", None),
        (gives(Status.FEW), "few filters", None),
        (gives("no host"), "no host", None),
        (gives("time limit exceeded"), "time limit exceeded", None),
        (
            gives("odd"),
            "failed",
            "it returned 'odd', which is no status of p: return None, or expired, failed, few filters, no host, "
            "none needed, processed, time limit exceeded",
        ),
        (gives("not processed"), "failed", "it returned 'not processed', which is no status of p"),
        (gives(7), "failed", "it returned 7, which is no status of p"),
        (gives([1] * 10**6), "failed", "it returned [1, 1, 1"),
        (gives(Unshowable()), "failed", "it returned <Unshowable instance at"),
        (raises(ValueError("boom")), "failed", "ValueError: boom"),
        (raises(Rejected("no such table")), "failed", "no such table"),
        (raises(Unavailable("away")), "failed", "away"),
        (raises(Hostile()), "failed", "Hostile: <exception str() failed>"),
        (raises(SystemExit(3)), "failed", "SystemExit: 3"),
        (raises(KeyboardInterrupt()), "failed", "KeyboardInterrupt"),
        (raises(DeadlineExceeded("a server took too long")), "time limit exceeded", "a server took too long"),
        (raises(Failed("far away")), "failed", "far away"),
        (raises(Failed("far away", "no host")), "no host", "far away"),
        (raises(Failed("only a little", "few filters")), "few filters", "only a little"),
        (
            raises(Failed("bad", "odd")),
            "failed",
            "bad; 'odd' is no status of a failure in p: give expired, failed, few f",
        ),
        (raises(Failed("bad", "processed")), "failed", "bad; 'processed' is no status of a failure in p: give expired"),
        (raises(Failed("bad", ["odd"])), "failed", "bad; ['odd'] is no status of a failure"),  # type: ignore[arg-type]
    ],
)
def test_what_a_step_does_becomes_a_status(tmp_path: Path, do: Do, status: str, reason: str | None) -> None:
    _, row, attempt = tried(tmp_path, do)
    kind = {**STATUSES, "processed": "ok"}.get(status, "error")
    assert (row.status, row.state, row.tries) == (status, 5 if kind == "error" else 4, 1)
    assert attempt.status == status and attempt.seconds >= 0
    assert (attempt.reason or "").startswith(reason or "") and (reason is None) == (attempt.reason is None)


@pytest.mark.parametrize(
    ("do", "has_trace"),
    [
        (gives("no host"), False),
        (raises(Failed("far away")), False),
        (raises(DeadlineExceeded("over")), False),
        (raises(Rejected("no")), True),
        (raises(ValueError("boom")), True),
    ],
)
def test_what_went_wrong_unforeseen_has_a_traceback(tmp_path: Path, do: Do, has_trace: bool) -> None:
    _, _, attempt = tried(tmp_path, do)
    assert (attempt.traceback is not None) == has_trace
    assert not has_trace or "in do" in attempt.traceback


def test_a_step_may_have_a_failed_status_of_its_own(tmp_path: Path) -> None:
    _, row, attempt = tried(tmp_path, raises(ValueError("boom")), failed="no host")
    assert (row.status, attempt.status) == ("no host", "no host")


@pytest.mark.parametrize(("code", "kept"), [("E" + "7" * 99, "E" + "7" * 63), (7, "7"), (None, None)])
def test_a_code_is_kept_for_whoever_asked(tmp_path: Path, code: Any, kept: str | None) -> None:
    _, _, attempt = tried(tmp_path, raises(Failed("far away", code=code)))
    assert (attempt.code, attempt.reason) == (kept, "far away")


def tell(item: Item) -> None:
    if item.args:
        log.info("of %s", item.key)
        current_run().progress(1, 2, "part", note="so far")


def test_what_a_step_logs_is_kept_with_its_attempt(tmp_path: Path) -> None:
    with house(lite_state(tmp_path / "s.db"), tmp_path, Step("only", tell)) as made:
        made.add("a", "b", args={"n": 1})
        made.add("c")
        made.do("only")
        [first], [second], [third] = (made.attempts(key) for key in "abc")
        assert first.log.endswith(" INFO of a") and second.log.endswith(" INFO of b") and third.log is None
        [run] = made.runs()
        assert lines_of(made.state, run.id) == ["of a", "of b"]
        assert '"a/part": {"done": 1, "total": 2, "note": "so far"}' in run.progress


@pytest.mark.parametrize(
    ("result", "reason"),
    [
        ({"n": 1, "when": date(2027, 1, 2)}, None),
        ("half \ud800 \U0001f40c", None),
        (object(), "the result is of type object"),
        (float("nan"), "the result is nan, which JSON does not have"),
        ("x" * 2_000_000, "the result is"),
    ],
    ids=["json", "half", "object", "nan", "long"],
)
def test_a_result_is_kept_if_json_has_it(tmp_path: Path, result: Any, reason: str | None) -> None:
    made, row, attempt = tried(tmp_path, leaves(result))
    assert made.results("k") == ({"only": result} if reason is None else {})
    assert (row.status, attempt.status) == (("processed",) if reason is None else ("failed",)) * 2
    assert (attempt.reason or "").startswith(reason or "")


def test_a_failed_try_is_repeated_after_a_growing_pause(tmp_path: Path) -> None:
    with house(lite_state(tmp_path / "s.db"), tmp_path, Step("only", raises(ValueError("boom")), retries=2)) as made:
        made.add("k")
        for tries in (1, 2):
            before = made.now()
            made.do("only")
            row = made.steps("k")["only"]
            assert (row.state, row.status, row.tries) == (2, "not processed", tries)
            assert (
                before + timedelta(seconds=2 ** (tries - 1)) <= row.sort_at <= made.now() + timedelta(seconds=2**tries)
            )
            succeeded(made.do("only"))  # its moment has not come
            assert len(made.attempts("k")) == tries
            come(made, "k")
        made.do("only")
        assert (made.status("k"), made.item("k").state, len(made.attempts("k"))) == ("failed", 5, 3)
        assert [one.status for one in made.attempts("k")] == ["failed"] * 3
        made.check_counts()


def test_an_item_that_is_passed_over_is_looked_at_again_in_a_minute(tmp_path: Path) -> None:
    made, row, attempt = tried(tmp_path, raises(Skip("the catalogue is not there yet")))
    assert (row.state, row.status, row.tries) == (2, "not processed", 0)
    assert timedelta(seconds=50) < row.sort_at - attempt.started_at < timedelta(seconds=70)
    assert (attempt.status, attempt.reason) == ("not processed", "the catalogue is not there yet")


def test_an_item_may_take_so_long_and_no_longer(tmp_path: Path) -> None:
    _, row, attempt = tried(tmp_path, wait, timeout=0.2)
    assert (row.status, attempt.status, attempt.traceback) == ("time limit exceeded", "time limit exceeded", None)
    assert attempt.reason == "over its timeout of 0.2 s" and attempt.seconds >= 0.2


def slow(item: Item) -> None:
    """Take longer than the step may, without a safe point."""
    run = current_run()
    while run.remaining_seconds:
        pass
    item.result = "done all the same"


def test_what_ends_over_its_time_is_over_its_time(tmp_path: Path) -> None:
    with house(lite_state(tmp_path / "s.db"), tmp_path, Step("only", slow, timeout=0.2)) as made:
        made.add("k")
        made.do("only")
        [attempt] = made.attempts("k")
        assert attempt.reason == "it finished, but over its time limit of 0.2 s"
        assert made.status("k") == "time limit exceeded" and made.results("k") == {"only": "done all the same"}


def test_an_item_that_is_past_its_time_as_it_comes_to_its_turn_is_not_begun() -> None:
    # Given an item that was taken in time, and waited for a worker until its time was over.
    only, began = Step("only", gives(None)), now()
    claimed = Claimed(7, "k", "{}", 0, began, began, began, None, None, 1, 0, 0, 3, {})
    called: list[str] = []

    def call(item: Item, run: Run) -> Returned:
        called.append(item.key)
        return Returned(None, None)

    for seconds, status in ((0, "expired"), (-1, "processed")):
        moment = began + timedelta(seconds=seconds)
        trying = Trying(Pipeline("p", [only]), only, Run(), lambda at=moment: at)  # type: ignore[misc]
        end = trying.try_one(claimed, call)
        assert (end.item_id, end.claim, end.status, end.told) == (7, 3, status, status)
        assert end.started_at == moment and end.state == (5 if status == "expired" else 4)
    assert called == ["k"]


def test_an_item_that_somebody_has_spoiled_fails_alone(tmp_path: Path) -> None:
    # Given an item whose arguments, and one whose secrets, are no JSON any more, among others.
    with house(lite_state(tmp_path / "s.db"), tmp_path, Step("only", gives(None), workers=2)) as made:
        made.add("a", "b", "c", "d")
        made.change_row("b", args="{")
        made.change_row("c", secrets="{")
        counts = succeeded(made.do("only"))
        assert counts == {"processed": 2, "failed": 2}
        assert [made.status(key) for key in "abcd"] == ["processed", "failed", "failed", "processed"]
        assert "JSONDecodeError" in made.attempts("b")[0].reason
        made.check_counts()


def tell_secret(item: Item) -> None:
    """Let a secret come into whatever is kept."""
    token = item.secrets["Authorization"]
    log.warning("it has %s", token)
    current_run().progress(1, 2, note=f"with {token}")
    raise ValueError(f"401 for {token.split()[1]}")


def test_the_secrets_of_an_item_are_kept_nowhere(tmp_path: Path) -> None:
    with house(lite_state(tmp_path / "s.db"), tmp_path, Step("only", tell_secret)) as made:
        made.add("k", secrets={"Authorization": "Bearer sesame-17", "deep": [{"of": "vault-99"}]})
        made.do("only")
        [attempt], [run] = made.attempts("k"), made.runs()
        assert attempt.reason == "ValueError: 401 for ***" and attempt.log.endswith("WARNING it has ***")
        kept = f"{tuple(attempt)} {tuple(run)} {lines_of(made.state, run.id)} {tuple(made.item('k'))}"
        assert "sesame" not in kept and "vault" not in kept
        assert '"note": "with ***"' in run.progress


def test_code_that_is_part_of_a_step_has_its_item(tmp_path: Path) -> None:
    seen: list[Item] = []

    def look(item: Item) -> None:
        seen.append(current_item())
        assert current_item() is item and current_run().job == "p.only"

    with house(lite_state(tmp_path / "s.db"), tmp_path, Step("only", look)) as made:
        made.add("k", args={"n": 1}, priority=2, envelope={"to": "A"}, secrets={"s": "sesame"})
        succeeded(made.do("only"))
    [item] = seen
    assert (item.key, item.args, item.priority, item.attempt) == ("k", {"n": 1}, 2, 1)
    assert (item.envelope, item.secrets) == ({"to": "A"}, {"s": "sesame"}) and "sesame" not in repr(item)


def test_pauses_grow_up_to_an_hour() -> None:
    for tries in range(30):
        base = min(LONGEST_PAUSE_SECONDS, 2.0**tries)
        assert base <= pause(tries).total_seconds() <= 2 * base
    assert len({pause(3) for _ in range(20)}) > 10


def test_an_item_may_take_three_processes_or_as_many_as_it_has_tries() -> None:
    assert [most_deaths(Step("a", gives(None), retries=retries)) for retries in (0, 2, 5)] == [3, 3, 6]
