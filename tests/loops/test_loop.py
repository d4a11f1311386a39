"""A loop: a thread that no error ends, that is woken, and that stops when it is asked to."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from janitor.loops import Loop, Loops
from janitor.loops import duty as duties
from tests.loops.shaky import Shaky
from tests.small_engine import eventually


@contextmanager
def going(loop: Loop) -> Iterator[Loop]:
    """Let a loop go during the block."""
    loop.start()
    try:
        yield loop
    finally:
        loop.ask_to_stop()
        loop.wait(10)
        assert loop.duty.name not in [thread.name for thread in threading.enumerate()]


def counting(returns: float | None) -> tuple[list[int], Callable[[], float | None]]:
    """A body that counts how often it is done."""
    done = list[int]()

    def body() -> float | None:
        done.append(1)
        return returns

    return done, body


@pytest.mark.parametrize("seed", range(5))
def test_a_loop_that_raises_at_random_goes_on(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(duties, "FIRST_PAUSE_SECONDS", 0.0001)
    loops = Shaky(seed, share=0.6)
    done, body = counting(0.0001)
    with going(loops.loop("work", body)):
        eventually(lambda: len(done) > 50)
    assert loops.failures["work"] > 10 and [one.duty for one in loops.troubles] == ["work"]


def test_it_waits_until_it_is_woken() -> None:
    done, body = counting(None)
    with going(Loops().loop("work", body, first=None)) as loop:
        for expected in (1, 2, 3):
            loop.wake()
            eventually(lambda: len(done) == expected)  # noqa: B023  # asked within the round


def test_a_wake_during_the_duty_has_it_done_once_more() -> None:
    begun, go_on, done = threading.Event(), threading.Event(), list[int]()

    def body() -> None:
        done.append(1)
        begun.set()
        go_on.wait(10)

    with going(Loops().loop("work", body)) as loop:
        begun.wait(10)
        loop.wake()
        go_on.set()
        eventually(lambda: len(done) == 2)


def test_a_duty_that_fails_is_not_woken_out_of_its_pause() -> None:
    # Given a duty that fails, and news that never ends.
    # It is tried after its pause alone: the news does not make it fail a thousand times a second.
    done = list[int]()

    def body() -> None:
        done.append(1)
        raise ValueError

    with going(Loops().loop("work", body)) as loop:
        eventually(lambda: done)
        for _ in range(1_000):
            loop.wake()
    assert len(done) <= 2


def test_what_waits_at_the_end_is_done_once_more() -> None:
    done, body = counting(None)
    with going(Loops().loop("work", body, first=None, at_end=True)):
        pass
    assert len(done) == 1


def test_a_stop_ends_a_sleep_within_the_duty() -> None:
    loops, began = Loops(), threading.Event()

    def body() -> None:
        began.set()
        loop.sleep(3600)

    loop = loops.loop("work", body)
    with going(loop):
        began.wait(10)
    assert loop.is_stopping


@pytest.mark.parametrize("seconds", [-1.0, float("inf"), 1e300])
def test_no_number_of_seconds_ends_it(seconds: float) -> None:
    done, body = counting(seconds)
    with going(Loops().loop("work", body)) as loop:
        eventually(lambda: done)
        loop.wake()
        eventually(lambda: len(done) > 1)
