"""The dead-man's ping, at a real web server: which runs a watcher hears of, and that no run waits for it."""

import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from janitor.engine.stages import Slot
from janitor.errors import Skip
from janitor.loops import Loops
from janitor.notices import pings
from janitor.notices.pings import Pinger
from tests.notices.house import House
from tests.outside import Hooks
from tests.small_engine import eventually, job_of, now


@pytest.fixture
def pinger(house: House, hooks: Hooks) -> Iterator[Pinger]:
    """Give a pinger that tells the watcher of the runs of `task`."""
    made = Pinger({"task": f"{hooks.url}/key/task"}, Loops())
    house.runner.observers.append(made)
    made.start()
    yield made
    made.stop(5)


def task() -> None:
    """Succeed."""


def fail() -> None:
    raise ValueError("the disk is full")


def decline() -> None:
    raise Skip("there is nothing new")


def test_a_watcher_hears_of_starts_successes_and_failures(house: House, hooks: Hooks, pinger: Pinger) -> None:
    for func in (task, fail, decline):
        house.runner.execute(job_of(func), Slot(now()))
    eventually(lambda: len(hooks.requests) == 6)
    split = [urlsplit(path) for path in hooks.paths]
    start, success, failure = "/key/task/start", "/key/task", "/key/task/fail"
    assert [one.path for one in split] == [start, success, start, failure, start, success]
    assert [request.body for request in hooks.requests[3:6]] == [
        b"ValueError: the disk is full",
        b"",
        b"there is nothing new",
    ]
    ids = [uuid.UUID(parse_qs(one.query)["rid"][0]) for one in split]
    assert ids[0] == ids[1] != ids[2] == ids[3] and len(set(ids)) == 3


def test_dry_runs_and_runs_by_hand_are_not_told(house: House, hooks: Hooks, pinger: Pinger) -> None:
    house.runner.execute(job_of(task), Slot(now()), dry_run=True)
    house.runner.execute(job_of(task), Slot(None, "by_hand"))
    house.runner.execute(job_of(task, id="other"), Slot(now()))
    house.runner.execute(job_of(task), Slot(now()))
    eventually(lambda: len(hooks.requests) == 2)
    assert [urlsplit(path).path for path in hooks.paths] == ["/key/task/start", "/key/task"]


def test_a_watcher_that_hangs_delays_no_run(house: House, hooks: Hooks, pinger: Pinger) -> None:
    hooks.hangs.set()
    began = time.monotonic()
    for _ in range(3):
        house.runner.execute(job_of(task), Slot(now()))
    assert time.monotonic() - began < 5 and hooks.requests == []
    hooks.hangs.clear()
    eventually(lambda: len(hooks.requests) == 6)


def test_a_ping_is_tried_again_and_a_failing_watcher_told_once(
    house: House, hooks: Hooks, pinger: Pinger, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(pings, "PAUSE_SECONDS", 0.01)
    hooks.answers = [500, 200, 500, 500, 500, 500, 500, 500, 200]
    for _ in range(2):
        house.runner.execute(job_of(task), Slot(now()))
    eventually(lambda: "again" in caplog.text or len(hooks.requests) > 8)
    house.runner.execute(job_of(task), Slot(now()))
    eventually(lambda: "is told of its runs again" in caplog.text)
    assert caplog.text.count("cannot be told of its runs: it answered 500") == 1


def test_a_full_queue_loses_the_oldest(tmp_path: Path) -> None:
    pinger = Pinger({}, Loops())
    for number in range(1_005):
        pinger._add(pings.Ping("task", str(number)))
    assert len(pinger._queue) == 1_000 and pinger._queue[0].url == "5"
