"""Threads of a run: they are part of it, and the way in which Python starts threads has not changed."""

import inspect
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from janitor.runs import Run, current_run, running
from janitor.runs.threads import follow_into_threads

plain_start = inspect.unwrap(threading.Thread.start)


@pytest.fixture(autouse=True)
def following(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Threads follow runs in these tests, and after them as before."""
    monkeypatch.setattr(threading.Thread, "start", plain_start)
    follow_into_threads()
    yield


def run_seen_by_a_thread() -> int:
    """The id of the run that a new thread is part of."""
    seen: list[int] = []
    thread = threading.Thread(target=lambda: seen.append(current_run().id))
    thread.start()
    thread.join()
    return seen[0]


def test_a_thread_that_a_run_starts_is_part_of_it() -> None:
    with running(Run(id=5)):
        assert run_seen_by_a_thread() == 5
    assert run_seen_by_a_thread() == 0


def test_a_thread_of_a_pool_leaves_a_run_that_has_ended() -> None:
    with ThreadPoolExecutor(1) as pool:
        with running(Run(id=5)) as run:
            assert pool.submit(lambda: current_run().id).result() == 5
            run.ended = True
        assert pool.submit(lambda: current_run().id).result() == 0


def test_following_twice_changes_nothing() -> None:
    once = threading.Thread.start
    follow_into_threads()
    assert threading.Thread.start is once and inspect.unwrap(once) is plain_start


def test_python_still_calls_run_in_a_context_without_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    # Given: Python's own start. What happens: a run starts a thread. What must hold: the thread calls its `run`, and
    # is not part of the run; once it is, the change to Thread.start can go.
    monkeypatch.setattr(threading.Thread, "start", plain_start)
    inherits = getattr(sys.flags, "thread_inherit_context", 0)
    with running(Run(id=5)):
        assert run_seen_by_a_thread() == (5 if inherits else 0)
    called = threading.Thread()
    called.run = lambda: setattr(called, "name", "run was called")  # type: ignore[method-assign]
    called.start()
    called.join()
    assert called.name == "run was called"
