"""A child process that calls a step for one item after the other, as its parent sees it."""

import functools
import os
import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import URL

from janitor.errors import Interrupted
from janitor.items import Item, Step, trying
from janitor.state.item_states import FAILED, LATER, READY
from tests.engine.children import alive, sleep, until_asked
from tests.items.house import House, come, house, in_a_thread, live_run, succeeded
from tests.small_engine import eventually


def pid(item: Item) -> None:
    item.result = os.getpid()


def by_key(item: Item) -> None:
    """Do what the item's key says."""
    item.result = os.getpid()
    match item.key:
        case "deadly":
            os.kill(os.getpid(), signal.SIGKILL)
        case "endless":
            Path(item.args["file"]).write_text(str(os.getpid()), encoding="ascii")
            subprocess.run(["sleep", "60"], check=False)
        case "until asked":
            until_asked(item.args["file"])
        case "leaves":
            item.result = subprocess.Popen(["sleep", "60"]).pid


@pytest.fixture
def state_of_items(tmp_path: Path) -> URL:
    return URL.create("sqlite", database=str(tmp_path / "items.db"))


def warm(url: URL, folder: Path, **options: Any) -> AbstractContextManager[House]:
    """A pipeline whose step is called in child processes."""
    step = Step("only", options.pop("func", by_key), isolation="process", **options)
    return house(url, folder, step, GRACE_SECONDS="1")


@pytest.mark.slow
def test_one_child_takes_many_items(state_of_items: URL, tmp_path: Path) -> None:
    with warm(state_of_items, tmp_path, func=pid, items_per_child=7) as made:
        keys = [str(number) for number in range(20)]
        made.add(*keys)
        succeeded(made.do("only"))
        pids = [made.results(key)["only"] for key in keys]
        assert [len(set(pids[at : at + 7])) for at in (0, 7, 14)] == [1, 1, 1] and len(set(pids)) == 3
        assert os.getpid() not in pids
        eventually(lambda: not any(alive(one) for one in pids))


@pytest.mark.slow
def test_each_worker_has_a_child_of_its_own(state_of_items: URL, tmp_path: Path) -> None:
    with warm(state_of_items, tmp_path, func=pid, workers=2) as made:
        made.add(*(str(number) for number in range(40)))
        succeeded(made.do("only"))
        assert 1 <= len({made.results(str(number))["only"] for number in range(40)}) <= 2


@pytest.mark.slow
def test_an_item_that_kills_its_process_is_found(
    state_of_items: URL, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given an item of which each process dies that takes it. It is tried three times; all others are done.
    monkeypatch.setattr(trying, "FIRST_PAUSE_SECONDS", 600.0)
    with warm(state_of_items, tmp_path) as made:
        made.add("a", "deadly", "b", "c")
        assert succeeded(made.do("only")) == {"processed": 3, "interrupted": 1}
        assert made.results("a")["only"] != made.results("b")["only"] == made.results("c")["only"]
        for deaths in (1, 2):
            row = made.steps("deadly")["only"]
            assert (row.state, row.status, row.deaths, row.tries) == (LATER, "not processed", deaths, 0)
            come(made, "deadly")
            succeeded(made.do("only"))
        assert made.status("deadly") == "failed" and made.item("deadly").state == FAILED
        died = "its process ended without a result, exit code -9"
        assert [(one.status, one.reason) for one in made.attempts("deadly")] == [
            ("interrupted", f"{died}; 1 of 3 that it may take"),
            ("interrupted", f"{died}; 2 of 3 that it may take"),
            ("failed", f"{died}; 3 of 3 that it may take"),
        ]
        made.check_counts()


@pytest.mark.slow
def test_an_item_over_its_time_is_killed_with_all_it_started(state_of_items: URL, tmp_path: Path) -> None:
    with warm(state_of_items, tmp_path, timeout=2) as made:
        made.add("endless", args={"file": str(tmp_path / "pid")})
        made.add("after")
        assert succeeded(made.do("only")) == {"time limit exceeded": 1, "processed": 1}
        child = int((tmp_path / "pid").read_text(encoding="ascii"))
        assert made.status("endless") == "time limit exceeded" and made.results("after")["only"] != child
        assert made.attempts("endless")[0].reason == "over its timeout of 2 s"
        eventually(lambda: not alive(child))
        made.check_counts()


@pytest.mark.slow
@pytest.mark.parametrize("key", ["until asked", "endless"])
def test_an_item_goes_back_if_its_run_is_stopped(state_of_items: URL, tmp_path: Path, key: str) -> None:
    # Given an item that comes to safe points, and one that does not. Both go back; the second is killed for that.
    file = tmp_path / "pid"
    with warm(state_of_items, tmp_path) as made:
        made.add(key, args={"file": str(file)})
        wait = in_a_thread(lambda: made.do("only"))
        child = int(eventually(lambda: file.exists() and file.read_text(encoding="ascii")))
        live_run(made).ask_to_stop(Interrupted("going down"))
        wait()
        row = made.steps(key)["only"]
        assert (row.status, row.tries, row.deaths) == ("not processed", 0, 0)
        assert [(one.status, one.reason) for one in made.attempts(key)] == [("interrupted", "going down")]
        eventually(lambda: not alive(child))
        log_of = made.attempts(key)[0].log
        assert ("came to a safe point" in (log_of or "")) == (key == "until asked")
        made.check_counts()


@pytest.mark.slow
def test_what_a_step_leaves_dies_with_its_child(state_of_items: URL, tmp_path: Path) -> None:
    with warm(state_of_items, tmp_path) as made:
        made.add("leaves")
        succeeded(made.do("only"))
        left = made.results("leaves")["only"]
        eventually(lambda: not alive(left))


@pytest.mark.slow
def test_a_step_that_cannot_be_sent_fails_its_run(state_of_items: URL, tmp_path: Path) -> None:
    with warm(state_of_items, tmp_path, func=lambda item: None) as made:
        made.add("a", "b")
        made.do("only")
        (run,) = made.runs("only")
        assert run.outcome == "failed" and "pickle" in run.reason.lower(), run.reason
        assert [made.steps(key)["only"].state for key in "ab"] == [READY, READY] and made.attempts("a") == []
        made.check_counts()


class Comes:
    """A step that does something as it comes into its process."""

    def __init__(self, do: Callable[[], object]) -> None:
        self.do = do
        self.__module__, self.__qualname__ = __name__, "Comes"

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self.do()

    def __call__(self, item: Item) -> None:
        item.result = os.getpid()


def test_starting_its_process_takes_none_of_an_items_time(state_of_items: URL, tmp_path: Path) -> None:
    step = Comes(functools.partial(time.sleep, 3))
    with warm(state_of_items, tmp_path, func=step, timeout=2.5) as made:
        made.add("a", "b")
        assert succeeded(made.do("only")) == {"processed": 2}


@pytest.mark.slow
def test_an_item_that_no_process_took_is_unharmed(state_of_items: URL, tmp_path: Path) -> None:
    # Given a step whose processes end as they are started. The run fails, and its items wait.
    with warm(state_of_items, tmp_path, func=Comes(functools.partial(os._exit, 9)), workers=2) as made:
        made.add("a", "b")
        made.do("only")
        (run,) = made.runs("only")
        said = "before it took an item, its process ended without a result, exit code 9"
        assert (run.outcome, run.reason) == ("failed", said)
        for key in "ab":
            row = made.steps(key)["only"]
            assert (row.state, row.status, row.tries, row.deaths) == (READY, "not processed", 0, 0)
        assert made.attempts("a") == [] == made.attempts("b")
        made.check_counts()


@pytest.mark.slow
def test_a_run_that_is_stopped_waits_for_no_process(state_of_items: URL, tmp_path: Path) -> None:
    # Given a process that takes a minute to start.
    file = tmp_path / "pid"
    with warm(state_of_items, tmp_path, func=Comes(functools.partial(sleep, str(file)))) as made:
        made.add("a")
        wait = in_a_thread(lambda: made.do("only"))
        child = int(eventually(lambda: file.exists() and file.read_text(encoding="ascii")))
        live_run(made).ask_to_stop(Interrupted("going down"))
        wait()
        (run,) = made.runs("only")
        assert (run.outcome, run.reason) == ("interrupted", "going down")
        assert made.steps("a")["only"].state == READY and made.attempts("a") == []
        eventually(lambda: not alive(child))
        made.check_counts()
