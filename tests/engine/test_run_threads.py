"""The threads of runs: bounded, kept, and each as new to the next run."""

import asyncio
import contextvars
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator

import pytest

from janitor.engine.run_threads import RunThreads
from tests.small_engine import eventually

here: contextvars.ContextVar[str] = contextvars.ContextVar("here", default="nothing")


class Pool:
    """Two threads; what was given, and waits for a thread, is given again once one is free."""

    def __init__(self, keep_seconds: float = 30.0, stuck: Callable[[], int] = lambda: 0) -> None:
        self.waiting: list[Callable[[], None]] = []
        self.threads = RunThreads(2, self.hand_out, stuck, keep_seconds)
        self.handing_out = threading.Lock()
        self.idents: list[int] = []

    def hand_out(self) -> None:
        with self.handing_out:
            while self.waiting and self.threads.give(self.waiting[0]):
                self.waiting.pop(0)

    def note(self) -> None:
        self.idents.append(threading.get_native_id())

    def run(self, work: Callable[[], object]) -> None:
        """Let a thread do some work to its end, and have nothing to do."""

        def noted() -> None:
            self.note()
            work()

        assert eventually(lambda: self.threads.give(noted)) and eventually(lambda: self.threads._busy == 0)


@pytest.fixture
def let_go() -> Iterator[threading.Event]:
    """Set at the end of a test: no thread stays behind."""
    event = threading.Event()
    yield event
    event.set()


def test_no_more_threads_are_busy_than_may_be(let_go: threading.Event) -> None:
    over: list[int] = []
    pool, began = Pool(stuck=lambda: len(over)), threading.Semaphore(0)

    def wait() -> None:
        began.release()
        let_go.wait(30)

    assert [pool.threads.give(wait) for _ in range(4)] == [True, True, False, False]
    # A run that is over its time does not count.
    over.append(1)
    assert [pool.threads.give(wait) for _ in range(2)] == [True, False]
    assert all(began.acquire(timeout=30) for _ in range(3)) and not began.acquire(blocking=False)
    pool.waiting.append(pool.note)
    let_go.set()
    assert eventually(lambda: len(pool.idents) == 1)


def test_a_thread_is_kept_for_the_next_run_and_is_as_new() -> None:
    pool, seen = Pool(), list[str]()

    def leave_things() -> None:
        seen.append(here.get())
        here.set("something")
        loop = asyncio.new_event_loop()
        asyncio.set_event_loop(loop)
        loop.close()

    for _ in range(3):
        pool.run(leave_things)
    assert len(set(pool.idents)) == 1 and seen == ["nothing"] * 3
    pool.run(lambda: asyncio.run(asyncio.sleep(0)))


def block_a_signal() -> None:
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR2})


def watch_calls() -> None:
    sys.setprofile(lambda *_: None)


def yield_to_others() -> None:
    os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))


@pytest.mark.parametrize("change", [block_a_signal, watch_calls, yield_to_others])
def test_a_thread_that_was_changed_serves_no_other_run(change: Callable[[], None]) -> None:
    pool = Pool()
    for work in (change, lambda: None, change, change):
        pool.run(work)
    assert len(set(pool.idents)) == 3, "the second run's thread served the third too"


def test_no_new_thread_comes_from_one_that_was_changed() -> None:
    # Given two busy threads, and a run that waits. What happens: the run of one thread changes its thread, and is over.
    # What must hold: the thread of the run that waited is as new: a thread has what the thread has that starts it.
    pool, let_go, masks = Pool(), threading.Event(), list[set[int]]()

    def change() -> None:
        let_go.wait(30)
        block_a_signal()

    def look() -> None:
        masks.append(set(signal.pthread_sigmask(signal.SIG_BLOCK, ())))

    here = set(signal.pthread_sigmask(signal.SIG_BLOCK, ()))
    assert [pool.threads.give(change) for _ in range(2)] == [True, True]
    pool.waiting.append(look)
    let_go.set()

    def tick() -> list[set[int]]:
        pool.hand_out()
        return masks

    assert eventually(tick)
    assert masks == [here] and signal.SIGUSR2 not in here


def test_a_thread_whose_run_broke_is_gone_and_not_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    # Given more broken runs than there may be threads. What must hold: the next runs have threads.
    monkeypatch.setattr(threading, "excepthook", lambda _: None)
    pool, threads = Pool(), list[threading.Thread]()

    def fail() -> None:
        threads.append(threading.current_thread())
        raise SystemExit

    for _ in range(3):
        pool.run(fail)
        threads[-1].join(30)
    assert len(set(threads)) == 3
    assert [pool.threads.give(pool.note) for _ in range(2)] == [True, True]


def test_a_thread_that_is_not_to_be_had_is_not_counted() -> None:
    # Given: more failed starts than there may be threads. What must hold: the next runs have threads.
    pool, usual = Pool(), threading.stack_size(1 << 46)
    try:
        for _ in range(3):
            with pytest.raises(RuntimeError):
                pool.threads.give(pool.note)
    finally:
        threading.stack_size(usual)
    assert [pool.threads.give(pool.note) for _ in range(2)] == [True, True]


def test_a_thread_without_work_ends_after_a_while() -> None:
    pool, threads = Pool(keep_seconds=0.01), list[threading.Thread]()
    for _ in range(2):
        pool.run(lambda: threads.append(threading.current_thread()))
        threads[-1].join(30)
        assert not threads[-1].is_alive()
    assert threads[0] is not threads[1]


def test_an_own_thread_counts_with_no_other(let_go: threading.Event) -> None:
    pool = Pool()
    for _ in range(5):
        pool.threads.start(lambda: None if let_go.wait(30) else None)
    pool.run(lambda: None)
    assert len(pool.idents) == 1
