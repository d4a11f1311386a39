"""A step in a child process that takes one item after the other: what it gets, and what comes back."""

import logging
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import URL

from janitor.errors import Rejected, Skip, Unavailable
from janitor.items import Failed, Item, Step, add, current_item
from janitor.runs import current_run
from tests.items.house import House, house, succeeded
from tests.small_engine import lines_of, lite_state

pytestmark = pytest.mark.slow

log = logging.getLogger("some.library")
STATUSES = {"no host": "error", "few filters": "warning"}


class NotSendable:
    """A value that cannot be sent to another process."""

    def __reduce__(self) -> Any:
        raise TypeError("this value stays where it is")

    def __repr__(self) -> str:
        return "<not sendable>"


class Stays(Exception):
    """An error that cannot be sent to another process."""

    def __init__(self) -> None:
        super().__init__("it stays")
        self.lock = threading.Lock()


DO: dict[str, Callable[[Item], Any]] = {
    "nothing": lambda item: None,
    "few": lambda item: "few filters",
    "odd": lambda item: "odd",
    "not sendable": lambda item: NotSendable(),
    "large": lambda item: ["x" * 10] * 10**6,
    "pid": lambda item: setattr(item, "result", os.getpid()),
    "result": lambda item: setattr(item, "result", {"args": item.args, "before": dict(item.results)}),
    "bad result": lambda item: setattr(item, "result", NotSendable()),
}
ERRORS: dict[str, BaseException] = {
    "boom": ValueError("boom with very-secret"),
    "stays": Stays(),
    "rejected": Rejected("the table is missing"),
    "unavailable": Unavailable("it is away"),
    "skip": Skip("not there yet"),
    "exit": SystemExit(3),
    "failed": Failed("far away", "no host", "E7"),
    "failed oddly": Failed("odd", ["odd"], 7),  # type: ignore[arg-type]
}


def step(item: Item) -> Any:
    """Do what the item's key says."""
    if item.key in ERRORS:
        raise ERRORS[item.key]
    return DO[item.key](item)


def tell(item: Item) -> None:
    """Log, print and report, with a secret."""
    assert current_item() is item and current_run().job == "p.only"
    log.info("of %s with %s", item.key, item.secrets["token"])
    print("printed of", item.key, item.secrets["token"])
    current_run().progress(1, 2, "part", note=f"so far {item.secrets['token']}")
    threading.Thread(target=log.warning, args=("from a thread",)).start()


def more(item: Item) -> None:
    """Add items, and look at the run."""
    run = current_run()
    assert run.fences and 0 < run.remaining_seconds <= 30
    if item.args.get("n"):
        add("p", f"{item.key}+", n=item.args["n"] - 1)


def by_hand(folder: Path, *keys: str, func: Callable[[Item], Any] = step, **options: Any) -> House:
    """Have items done in a child process."""
    secrets = options.pop("secrets", None)
    only = Step("only", func, isolation="process", **options)
    with house(lite_state(folder / "s.db"), folder, only, statuses=STATUSES, RABBITMQ_PASSWORD="very-secret") as made:
        made.add(*keys, secrets=secrets)
        succeeded(made.do("only"))
        made.check_counts()
        return made


def test_what_a_step_returns_comes_back(tmp_path: Path) -> None:
    made = by_hand(tmp_path, *DO)
    reasons = {key: made.attempts(key)[0].reason or "" for key in DO}
    assert {key: made.status(key) for key in DO} == {
        "nothing": "processed",
        "few": "few filters",
        "odd": "failed",
        "not sendable": "failed",
        "large": "failed",
        "pid": "processed",
        "result": "processed",
        "bad result": "failed",
    }
    assert reasons["odd"].startswith("it returned 'odd', which is no status of p")
    assert reasons["not sendable"].startswith("it returned <not sendable>, which is no status of p")
    assert reasons["large"].startswith("it returned ['xxxxxxxxxx', ") and len(reasons["large"]) < 1_000
    assert reasons["bad result"].startswith("the result is of type NotSendable")
    assert made.results("pid")["only"] != os.getpid()
    assert made.results("result")["only"] == {"args": {}, "before": {}}


NO_STATUS = (
    "\"['odd']\" is no status of a failure in p: give expired, failed, few filters, no host, time limit exceeded"
)


def test_what_a_step_raises_comes_back(tmp_path: Path) -> None:
    made = by_hand(tmp_path, *ERRORS)
    found = {key: made.attempts(key)[0] for key in ERRORS}
    assert {key: (made.status(key), one.reason, one.code) for key, one in found.items()} == {
        "boom": ("failed", "ValueError: boom with ***", None),
        "stays": ("failed", "Stays: it stays", None),
        "rejected": ("failed", "the table is missing", None),
        "unavailable": ("failed", "it is away", None),
        "skip": ("not processed", "not there yet", None),
        "exit": ("failed", "SystemExit: 3", None),
        "failed": ("no host", "far away", "E7"),
        "failed oddly": ("failed", f"odd; {NO_STATUS}", "7"),
    }
    assert "in step" in found["boom"].traceback and "very-secret" not in found["boom"].traceback
    first = found["boom"].traceback.splitlines()[1]
    assert first.endswith("in step") and __file__ in first, "the house's own frames are not shown"
    assert found["failed"].traceback is None


def test_what_a_step_tells_is_told_of_its_item(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    made = by_hand(tmp_path, "a", "b", func=tell, secrets={"token": "sesame-17"})
    [run] = made.runs()
    for key in ("a", "b"):
        [attempt] = made.attempts(key)
        assert attempt.status == "processed", attempt.reason
        assert f"INFO of {key} with ***" in attempt.log
    assert {f"of {key} with ***" for key in ("a", "b")} <= set(lines_of(made.state, run.id))
    assert '"a/part": {"done": 1, "total": 2, "note": "so far ***"}' in run.progress
    out, err = capfd.readouterr()
    assert "sesame" not in f"{out} {err} {tuple(run)} {lines_of(made.state, run.id)}" and "printed of a ***" in out


def test_a_step_in_a_process_adds_items_under_its_runs_lease(state_url: URL, tmp_path: Path) -> None:
    only = Step("only", more, isolation="process", timeout=30)
    with house(state_url, tmp_path, only) as made:
        made.add("k", args={"n": 2})
        assert succeeded(made.do("only")) == {"processed": 3}
        assert made.status("k++") == "processed"
        made.check_counts()


def threads(item: Item) -> None:
    """Say how many threads there are, and leave none."""
    item.result = threading.active_count()


def test_a_child_stays_as_it_is_from_item_to_item(tmp_path: Path) -> None:
    keys = [str(number) for number in range(20)]
    made = by_hand(tmp_path, *keys, func=threads)
    assert len({made.results(key)["only"] for key in keys}) == 1


def nap(item: Item) -> None:
    """Come to safe points until it is over its time."""
    try:
        while True:
            current_run().sleep(0.01)
    finally:
        log.info("came to a safe point")
        time.monotonic()


def test_an_item_may_end_by_itself_as_its_time_is_over(tmp_path: Path) -> None:
    made = by_hand(tmp_path, "k", func=nap, timeout=1)
    [attempt] = made.attempts("k")
    assert made.status("k") == attempt.status == "time limit exceeded"
    assert "over its timeout of 1 s" in attempt.reason
