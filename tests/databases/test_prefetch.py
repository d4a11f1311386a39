"""Reading ahead: what comes next is made while one item is worked on, in order, and never too much of it."""

import threading
import time
from collections.abc import Iterator

import pytest

from janitor.databases import ahead, each_ahead


def test_items_come_in_order_and_one_ahead() -> None:
    begun: list[int] = []

    def items() -> Iterator[int]:
        for number in range(5):
            begun.append(number)
            yield number

    taken = []
    for item in ahead(items()):
        taken.append(item)
        time.sleep(0.05)
        assert len(begun) == min(len(taken) + 1, 5)
    assert taken == [0, 1, 2, 3, 4]


def test_what_is_made_comes_in_the_order_of_the_items() -> None:
    def make(number: int) -> int:
        time.sleep(0.03 if number % 3 == 0 else 0)
        return number * 7

    assert list(each_ahead(make, range(20), 4)) == [number * 7 for number in range(20)]
    assert list(each_ahead(make, [], 4)) == []


@pytest.mark.parametrize("at_once", [1, 3])
def test_so_many_are_made_at_once_and_no_more(at_once: int) -> None:
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

    for taken, _ in enumerate(each_ahead(make, range(12), at_once), 1):
        time.sleep(0.03)
        assert made <= taken + at_once
    assert (most, made) == (at_once, 12)


def test_two_are_in_the_making_while_none_is_taken() -> None:
    both = threading.Barrier(2, timeout=10)

    def make(number: int) -> int:
        both.wait()
        return number

    assert list(each_ahead(make, range(4), 2)) == [0, 1, 2, 3]


def test_an_error_comes_in_its_turn_and_ends_it() -> None:
    def make(number: int) -> int:
        if number == 2:
            raise ValueError("no third")
        return number

    taken = []
    with pytest.raises(ValueError, match="no third"):
        for number in each_ahead(make, range(1_000_000), 2):
            taken.append(number)
    assert taken == [0, 1]


def test_who_stops_early_leaves_no_thread_behind() -> None:
    before = threading.active_count()
    walk = each_ahead(lambda number: number, range(1_000_000), 3)
    assert next(walk) == 0
    walk.close()  # type: ignore[attr-defined]
    assert threading.active_count() == before
