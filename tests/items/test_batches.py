"""What a run takes next: how many, from which place on, and what alone."""

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from janitor.items.batches import (
    BATCH_SECONDS,
    LOOK_SECONDS,
    MOST_HELD,
    MOST_TOGETHER,
    SHORTEST_SECONDS,
    WHOLE_LOOK_SECONDS,
    Place,
    Size,
    Suspects,
)

NOW = datetime(2026, 7, 1, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)


@pytest.mark.parametrize("workers", [1, 4])
def test_as_many_are_held_as_are_done_in_a_moment(workers: int) -> None:
    size = Size(workers)
    assert [size.wanted(waiting) for waiting in range(workers + 1)] == [
        workers - waiting if waiting <= workers // 2 else 0 for waiting in range(workers + 1)
    ]
    # Thousands a second: the number doubles, up to a bound.
    for _ in range(20):
        size.done(size.wanted(0))
    # So many at once at most; and more are taken while two thirds still wait.
    most = MOST_HELD - MOST_TOGETHER
    assert size.wanted(0) == size.wanted(most) == MOST_TOGETHER and size.enough == most
    assert size.wanted(most + 1) == 0
    # One that takes long: one for each worker again.
    for _ in range(2):
        until = time.monotonic() + BATCH_SECONDS
        while time.monotonic() < until:
            pass
        size.done(1)
    assert size.wanted(0) == workers


def test_a_look_begins_where_the_last_one_came_to() -> None:
    place = Place()
    assert place.of_look(0.0) is None
    place.looked((0, NOW, 7), True, 0.001, False)
    now = time.monotonic()
    assert place.of_look(now) == (0, NOW, 7)
    place.looked((0, NOW, 9), False, 0.001, False)
    place.looked(None, False, 0.001, True)
    assert place.of_look(now) == (0, NOW, 9)
    place.forget()
    assert place.of_look(now) is None


def test_a_whole_look_is_done_again_now_and_then() -> None:
    # Given one that took a twentieth of a second, and one that took four seconds: it is done less often.
    for seconds, pause in ((0.01, WHOLE_LOOK_SECONDS), (4.0, 80.0)):
        place = Place()
        place.looked((0, NOW, 7), True, seconds, False)
        now = time.monotonic()
        assert place.of_look(now + pause - 0.5) is not None
        assert place.of_look(now + pause) is None


@pytest.mark.parametrize(
    ("first", "after"),
    [
        ((0, NOW), (0, NOW, 7)),
        ((1, NOW - SECOND), (0, NOW, 7)),
        ((0, NOW - SECOND), (0, NOW - SECOND, 0)),
        ((-5, NOW + SECOND), (-5, NOW + SECOND, 0)),
    ],
)
def test_what_was_made_ready_before_the_place_is_found(
    first: tuple[int, datetime], after: tuple[int, datetime, int]
) -> None:
    place = Place()
    place.step_back(first)
    assert place.of_look(0.0) is None
    place.looked((0, NOW, 7), True, 0.0, False)
    place.step_back(first)
    assert place.of_look(time.monotonic()) == after


def test_a_lane_that_was_empty_is_left_alone_for_a_moment() -> None:
    place = Place()
    assert not place.was_empty(0.0)
    place.looked(None, False, 0.0, True)
    now = time.monotonic()
    assert place.was_empty(now) and not place.was_empty(now + LOOK_SECONDS) and place.is_empty
    # Whoever waits wakes up as the lane is to be looked at, not that long after some other news.
    assert place.seconds_to_look(now + LOOK_SECONDS / 2) == pytest.approx(LOOK_SECONDS / 2, abs=0.1)
    assert place.seconds_to_look(now + LOOK_SECONDS) == SHORTEST_SECONDS
    news: list[Callable[[], object]] = [
        lambda: place.step_back((0, NOW)),
        place.forget,
        lambda: place.looked((0, NOW, 1), False, 0.0, False),
    ]
    for told in news:
        place.looked(None, False, 0.0, True)
        told()
        assert not place.was_empty(time.monotonic()) and not place.is_empty
        assert place.seconds_to_look(time.monotonic()) == LOOK_SECONDS


def test_what_is_told_during_a_look_is_looked_for() -> None:
    place = Place()
    place.of_look(0.0)
    place.step_back((0, NOW))
    place.looked((0, NOW, 9), False, 0.0, True)
    assert not place.was_empty(time.monotonic())
    place.of_look(0.0)
    place.looked((0, NOW, 9), False, 0.0, True)
    assert place.was_empty(time.monotonic())


def test_a_suspect_is_taken_alone_in_the_whole_process() -> None:
    # Given two runs, each with other items at first. One takes a suspect once it holds nothing else; the other one may
    # not meanwhile, and does not wait for it either.
    one, other = Suspects(), Suspects()
    assert not one.may_take(holds_others=True) and one.waits and not one.has_one
    assert one.may_take(holds_others=False) and one.has_one and not one.waits
    assert not other.may_take(holds_others=False) and not other.waits and not other.has_one
    other.done()
    assert not other.may_take(holds_others=False)
    one.done()
    one.done()
    assert other.may_take(holds_others=False)
    other.done()


def test_of_many_runs_one_has_a_suspect() -> None:
    suspects = [Suspects() for _ in range(8)]
    barrier, had = threading.Barrier(8), list[bool]()

    def ask(one: Suspects) -> None:
        barrier.wait(30)
        had.append(one.may_take(holds_others=False))

    threads = [threading.Thread(target=ask, args=(one,)) for one in suspects]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(had) == [False] * 7 + [True]
    for one in suspects:
        one.done()
