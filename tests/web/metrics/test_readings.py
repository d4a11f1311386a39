"""Readings: nobody waits long, a slow source is asked seldom, a failure keeps the last value."""

import threading
import time

import pytest

from janitor.errors import Unavailable
from janitor.web.metrics.readings import Reading
from tests.small_engine import eventually


def test_no_caller_waits_longer_than_it_says() -> None:
    answers, asked = threading.Event(), []

    def hang() -> int:
        asked.append(1)
        answers.wait(30)
        return 7

    reading = Reading(hang, 60.0)
    began = time.monotonic()
    assert [reading.get(0.05).value for _ in range(3)] == [None] * 3
    assert reading.get(0.05).failure == "no answer within 0.05 s" and time.monotonic() - began < 20
    answers.set()
    answer = eventually(lambda: (found := reading.get(1.0)).failure is None and found)
    assert answer.value == 7 and len(asked) == 1


def test_a_slow_reading_takes_a_small_share_of_the_time() -> None:
    asked: list[float] = []

    def slow() -> int:
        asked.append(time.monotonic())
        time.sleep(0.05)
        return len(asked)

    reading = Reading(slow, 0.0, share=0.1)
    eventually(lambda: reading.get(1.0).value == 3)
    assert all(later - earlier >= 0.5 for earlier, later in zip(asked, asked[1:], strict=False))


def test_a_slow_failure_is_soon_looked_at_again() -> None:
    # Given a source that fails after a while; reading may take a two-hundredth of the time. What happens: it is
    # well again. What must hold: that is seen soon, and not after two hundred times as long as the failure took.
    asked: list[float] = []

    def fails_once() -> int:
        asked.append(time.monotonic())
        if len(asked) == 1:
            time.sleep(0.5)
            raise Unavailable("the state database is away")
        return 7

    reading = Reading(fails_once, 0.0, share=0.005)
    assert reading.get(10.0).failure == "the state database is away"
    answer = eventually(lambda: (one := reading.get(1.0)).failure is None and one)
    assert answer.value == 7 and asked[1] - asked[0] >= 1.0


def test_a_failure_keeps_the_last_value() -> None:
    found = iter([3])

    def fails_later() -> int:
        try:
            return next(found)
        except StopIteration:
            raise Unavailable("the state database is away") from None

    reading = Reading(fails_later, 0.0)
    assert reading.get(1.0).value == 3
    answer = eventually(lambda: (one := reading.get(1.0)).failure is not None and one)
    assert (answer.value, answer.failure) == (3, "the state database is away")


def test_a_reading_that_gets_no_thread_gets_one_later() -> None:
    reading = Reading(lambda: 7, 60.0)
    # Each thread would need more memory than there is.
    usual = threading.stack_size(1 << 46)
    try:
        with pytest.raises(RuntimeError, match="can't start new thread"):
            reading.get(0.0)
    finally:
        threading.stack_size(usual)
    assert reading.get(30.0).value == 7
