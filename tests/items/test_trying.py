"""One try of a step on an item: what it returns or raises, and what is kept of it."""

import logging
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any

import pytest

from janitor.errors import DeadlineExceeded, Rejected, Skip, Unavailable
from janitor.items import Failed, Item, Step, current_item
from janitor.items.trying import LONGEST_PAUSE_SECONDS, most_deaths, pause
from janitor.runs import current_run
from tests.items.house import House, house, succeeded
from tests.small_engine import lines_of, lite_state

log = logging.getLogger("some.library")
STATUSES = {"no host": "error", "few filters": "warning", "none needed": "ok"}


class Status(StrEnum):
    FEW = "few filters"


class Hostile(Exception):
    def __str__(self) -> str:
        raise ValueError("this error tells nothing")


def step(item: Item) -> Any:
    """Do what the item's key says."""
    what = item.args.get("do")
    if isinstance(what, str) and what.startswith("return "):
        return eval(what.removeprefix("return "))
    if isinstance(what, str) and what.startswith("raise "):
        raise eval(what.removeprefix("raise "))
    if what == "leave":
        item.result = eval(item.args["result"])
    if what == "log":
        log.info("of %s", item.key)
        current_run().progress(1, 2, "part", note="so far")
    if what == "wait":
        while True:
            current_run().sleep(0.01)
    return None


def tried(folder: Path, what: str, **options: Any) -> tuple[House, Any, Any]:
    """Have one item tried once; the house, the row of its step, and its attempt."""
    options = {"statuses": STATUSES, "steps": Step("only", step), **options}
    with house(lite_state(folder / "state.db"), folder, options.pop("steps"), **options) as made:
        made.add("k", args={"do": what})
        succeeded(made.do("only"))
        [attempt] = made.attempts("k")
        made.check_counts()
        return made, made.steps("k")["only"], attempt


@pytest.mark.parametrize(
    ("what", "status", "reason"),
    [
        ("return None", "processed", None),
        ("return 'few filters'", "few filters", None),
        ("return Status.FEW", "few filters", None),
        ("return 'no host'", "no host", None),
        ("return 'time limit exceeded'", "time limit exceeded", None),
        (
            "return 'odd'",
            "failed",
            "it returned 'odd', which is no status of p: return None, or expired, failed, few filters, no host, "
            "none needed, processed, time limit exceeded",
        ),
        ("return 'not processed'", "failed", "it returned 'not processed', which is no status of p"),
        ("return 7", "failed", "it returned 7, which is no status of p"),
        ("return [1] * 10**6", "failed", "it returned [1, 1, 1"),
        ("raise ValueError('boom')", "failed", "ValueError: boom"),
        ("raise Rejected('no such table')", "failed", "no such table"),
        ("raise Unavailable('away')", "failed", "away"),
        ("raise Hostile()", "failed", "Hostile: <exception str() failed>"),
        ("raise SystemExit(3)", "failed", "SystemExit: 3"),
        ("raise KeyboardInterrupt()", "failed", "KeyboardInterrupt"),
        ("raise DeadlineExceeded('a server took too long')", "time limit exceeded", "a server took too long"),
        ("raise Failed('far away')", "failed", "far away"),
        ("raise Failed('far away', 'no host')", "no host", "far away"),
        ("raise Failed('only a little', 'few filters')", "few filters", "only a little"),
        ("raise Failed('odd', 'odd')", "failed", "odd"),
        ("raise Failed('odd', ['odd'])", "failed", "odd"),
    ],
)
def test_what_a_step_does_becomes_a_status(tmp_path: Path, what: str, status: str, reason: str | None) -> None:
    _, row, attempt = tried(tmp_path, what)
    kind = {**STATUSES, "processed": "ok"}.get(status, "error")
    assert (row.status, row.state, row.tries) == (status, 5 if kind == "error" else 4, 1)
    assert attempt.status == status and attempt.seconds >= 0
    assert (attempt.reason or "").startswith(reason or "") and (reason is None) == (attempt.reason is None)
    assert (attempt.traceback is None) == (not what.startswith("raise ") or "Failed(" in what or "Deadline" in what)


def test_a_step_may_have_a_failed_status_of_its_own(tmp_path: Path) -> None:
    _, row, attempt = tried(tmp_path, "raise ValueError('boom')", steps=Step("only", step, failed="no host"))
    assert (row.status, attempt.status) == ("no host", "no host")
    assert "in step" in attempt.traceback and "boom" in attempt.traceback


def test_a_code_is_kept_for_whoever_asked(tmp_path: Path) -> None:
    _, _, attempt = tried(tmp_path, "raise Failed('far away', code='E' + '7' * 99)")
    assert (attempt.code, attempt.reason) == ("E" + "7" * 63, "far away")
    _, _, attempt = tried(tmp_path / "other", "raise Failed('far away', code=7)")
    assert attempt.code == "7"


def test_what_a_step_logs_is_kept_with_its_attempt(tmp_path: Path) -> None:
    with house(lite_state(tmp_path / "s.db"), tmp_path, Step("only", step)) as made:
        made.add("a", "b", args={"do": "log"})
        made.add("c")
        made.do("only")
        [first], [second], [third] = (made.attempts(key) for key in "abc")
        assert first.log.endswith(" INFO of a") and second.log.endswith(" INFO of b") and third.log is None
        [run] = made.runs()
        assert lines_of(made.state, run.id) == ["of a", "of b"]
        assert '"a/part": {"done": 1, "total": 2, "note": "so far"}' in run.progress


@pytest.mark.parametrize(
    ("result", "kept", "reason"),
    [
        ("{'n': 1, 'when': __import__('datetime').date(2027, 1, 2)}", True, None),
        ("'half \\ud800 \\U0001f40c'", True, None),
        ("object()", False, "the result is of type object"),
        ("float('nan')", False, "the result is nan, which JSON does not have"),
        ("'x' * 2_000_000", False, "the result is"),
        ("[[]] * 3_000_000", False, "the result is far over"),
    ],
)
def test_a_result_is_kept_if_json_has_it(tmp_path: Path, result: str, kept: bool, reason: str | None) -> None:
    with house(lite_state(tmp_path / "s.db"), tmp_path, Step("only", step)) as made:
        made.add("k", args={"do": "leave", "result": result})
        made.do("only")
        [attempt] = made.attempts("k")
        assert made.results("k") == ({"only": eval(result)} if kept else {})
        assert (attempt.status, (attempt.reason or "").startswith(reason or "")) == (
            "processed" if kept else "failed",
            True,
        )
        made.check_counts()


def test_a_failed_try_is_repeated_after_a_growing_pause(tmp_path: Path) -> None:
    with house(lite_state(tmp_path / "s.db"), tmp_path, Step("only", step, retries=2)) as made:
        made.add("k", args={"do": "raise ValueError('boom')"})
        for tries in (1, 2):
            before = made.now()
            made.do("only")
            row = made.steps("k")["only"]
            assert (row.state, row.status, row.tries) == (2, "not processed", tries)
            assert before + timedelta(seconds=2 ** (tries - 1)) <= row.sort_at <= made.now() + timedelta(seconds=2**tries)
            succeeded(made.do("only"))  # its moment has not come
            assert len(made.attempts("k")) == tries
            come(made, "k")
        made.do("only")
        assert (made.status("k"), made.item("k").state, len(made.attempts("k"))) == ("failed", 5, 3)
        assert [one.status for one in made.attempts("k")] == ["failed"] * 3
        made.check_counts()


def come(made: House, key: str) -> None:
    """Let the moment have come for another try of an item."""
    from sqlalchemy import update

    from janitor.state.item_tables import item_steps

    with made.state.begin() as connection:
        past = made.now() - timedelta(seconds=1)
        connection.execute(update(item_steps).where(item_steps.c.item_id == made.item(key).id).values(sort_at=past))


def test_an_item_that_is_passed_over_is_looked_at_again_in_a_minute(tmp_path: Path) -> None:
    made, row, attempt = tried(tmp_path, "raise Skip('the catalogue is not there yet')")
    assert (row.state, row.status, row.tries) == (2, "not processed", 0)
    assert timedelta(seconds=50) < row.sort_at - attempt.started_at < timedelta(seconds=70)
    assert (attempt.status, attempt.reason) == ("not processed", "the catalogue is not there yet")


def test_an_item_may_take_so_long_and_no_longer(tmp_path: Path) -> None:
    _, row, attempt = tried(tmp_path, "wait", steps=Step("only", step, timeout=0.2))
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


def test_an_item_past_its_time_is_not_begun(tmp_path: Path) -> None:
    with house(lite_state(tmp_path / "s.db"), tmp_path, Step("only", step)) as made:
        made.add("k", args={"do": "raise ValueError()"}, expires_at=made.now() - timedelta(seconds=1))
        made.do("only")
        assert made.status("k") == "expired" and [one.status for one in made.attempts("k")] in ([], ["expired"])
        assert made.item("k").state == 5
        made.check_counts()


def test_an_item_that_somebody_has_spoiled_fails_alone(tmp_path: Path) -> None:
    # Given an item whose arguments, and one whose secrets, are no JSON any more, among others.
    with house(lite_state(tmp_path / "s.db"), tmp_path, Step("only", step, workers=2)) as made:
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
        made.add("k", args={"n": 1}, priority=2, envelope={"to": "A"}, secrets={"s": "x"})
        succeeded(made.do("only"))
    [item] = seen
    assert (item.key, item.args, item.priority, item.attempt) == ("k", {"n": 1}, 2, 1)
    assert (item.envelope, item.secrets) == ({"to": "A"}, {"s": "x"}) and "x" not in repr(item).replace("expires", "")


def test_pauses_grow_up_to_an_hour() -> None:
    for tries in range(30):
        base = min(LONGEST_PAUSE_SECONDS, 2.0**tries)
        assert base <= pause(tries).total_seconds() <= 2 * base
    assert len({pause(3) for _ in range(20)}) > 10


def test_an_item_may_take_three_processes_or_as_many_as_it_has_tries() -> None:
    assert [most_deaths(Step("a", step, retries=retries)) for retries in (0, 2, 5)] == [3, 3, 6]


def test_errors_that_a_test_names_are_the_houses() -> None:
    assert all(issubclass(kind, Exception) for kind in (DeadlineExceeded, Rejected, Skip, Unavailable, Failed))
