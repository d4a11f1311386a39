"""Prefetching: the next items are made while the present item is worked on, in order, and never too many."""

import threading
import time
from collections.abc import Iterator

import pytest

from janitor.databases import make_ahead, read_ahead


def test_items_are_read_in_order_one_ahead() -> None:
    begun: list[int] = []

    def items() -> Iterator[int]:
        for number in range(5):
            begun.append(number)
            yield number

    taken = []
    for item in read_ahead(items()):
        taken.append(item)
        time.sleep(0.05)
        assert len(begun) == min(len(taken) + 1, 5)
    assert taken == [0, 1, 2, 3, 4]


def test_results_come_in_the_order_of_the_items() -> None:
    def make(number: int) -> int:
        time.sleep(0.03 if number % 3 == 0 else 0)
        return number * 7

    assert list(make_ahead(make, range(20), 4)) == [number * 7 for number in range(20)]
    assert list(make_ahead(make, [], 4)) == []


@pytest.mark.parametrize("at_once", [1, 3])
def test_no_more_than_at_once_are_made_ahead(at_once: int) -> None:
    counting, working, most, made = threading.Lock(), 0, 0, 0

    def make(number: int) -> int:
        nonlocal working, most, made
        with counting:
            working, made = working + 1, made + 1
            most = max(most, working)
        time.sleep(0.02)
        with counting:
            working -= 1
        return number

    for taken, _ in enumerate(make_ahead(make, range(12), at_once), 1):
        time.sleep(0.03)
        assert made <= taken + at_once
    assert (most, made) == (at_once, 12)


def test_two_items_are_made_at_the_same_time() -> None:
    both = threading.Barrier(2, timeout=10)

    def make(number: int) -> int:
        both.wait()
        return number

    assert list(make_ahead(make, range(4), 2)) == [0, 1, 2, 3]


def test_an_error_comes_in_its_turn_and_ends_it() -> None:
    def make(number: int) -> int:
        if number == 2:
            raise ValueError("no third")
        return number

    taken = []
    with pytest.raises(ValueError, match="no third"):
        for number in make_ahead(make, range(1_000_000), 2):
            taken.append(number)
    assert taken == [0, 1]


def test_stopping_early_leaves_no_thread_behind() -> None:
    before = threading.active_count()
    walk = make_ahead(lambda number: number, range(1_000_000), 3)
    assert next(walk) == 0
    walk.close()  # type: ignore[attr-defined]
    assert threading.active_count() == before
