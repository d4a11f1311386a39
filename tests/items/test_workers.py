"""Workers: threads that try items in their order, and hand over how each ended."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

import pytest

from janitor.errors import Rejected, Unavailable
from janitor.items.trying import Call
from janitor.items.workers import Ready, Workers
from janitor.state.item_claims import Claimed
from janitor.state.item_endings import End
from janitor.state.item_states import DONE
from tests.small_engine import eventually, now

NOW = now()
ENOUGH = 100


def claimed(item_id: int, claim: int = 1) -> Claimed:
    return Claimed(item_id, f"k{item_id}", "{}", 0, NOW, NOW, None, None, None, 1, 0, 0, claim, {})


def call(*_: Any) -> Any:
    raise AssertionError("nothing is called here")


def ready() -> Call:
    return call


class Tries:
    """Ends items once it is let go, and tells which were begun."""

    def __init__(self, waits: bool = False) -> None:
        self.begun: list[int] = []
        self.go = threading.Semaphore(0 if waits else 10**6)

    def __call__(self, one: Claimed, call: Call) -> End:
        self.begun.append(one.id)
        assert self.go.acquire(timeout=30)
        return End(one.id, one.claim, DONE, "processed", NOW, 0.0, "processed")


@contextmanager
def workers(
    count: int, tries: Callable[[Claimed, Call], End], each: bool = False, make: Any = None
) -> Iterator[Workers]:
    made = Workers(count, tries, make or (lambda: nullcontext(ready)), each)
    yield made
    made.close()
    assert made.join(30)


def done(made: Workers, number: int) -> list[End]:
    """So many ends, once they are there."""
    eventually(lambda: len(made.done()) >= number)
    return made.done()


def test_items_are_tried_in_their_order() -> None:
    tries = Tries()
    with workers(1, tries) as made:
        made.give([claimed(3), claimed(1)], ENOUGH)
        made.give([claimed(2)], ENOUGH)
        ends = done(made, 3)
        assert tries.begun == [end.item_id for end in ends] == [3, 1, 2]
        assert made.held == {3: 1, 1: 1, 2: 1} and made.waiting == 0
        made.recorded(ends[:2])
        assert made.held == {2: 1} and [end.item_id for end in made.done()] == [2]


def test_so_many_are_at_work_at_the_same_time() -> None:
    tries = Tries(waits=True)
    with workers(3, tries) as made:
        made.give([claimed(one) for one in range(5)], ENOUGH)
        eventually(lambda: len(tries.begun) == 3)
        assert sorted(tries.begun) == [0, 1, 2] and made.waiting == 2
        tries.go.release()
        eventually(lambda: len(tries.begun) == 4)
        tries.go.release(4)
        done(made, 5)


def test_no_more_threads_than_items() -> None:
    tries, before = Tries(waits=True), threading.active_count()
    with workers(8, tries) as made:
        made.give([claimed(1), claimed(2)], ENOUGH)
        eventually(lambda: len(tries.begun) == 2)
        assert threading.active_count() == before + 2
        tries.go.release(2)


def test_with_each_an_item_waits_for_the_record_of_the_one_before() -> None:
    tries = Tries()
    with workers(1, tries, each=True) as made:
        made.give([claimed(1), claimed(2)], ENOUGH)
        ends = done(made, 1)
        eventually(made.news.is_set)
        assert tries.begun == [1]
        made.recorded(ends)
        done(made, 1)
        assert tries.begun == [1, 2]


def test_with_each_it_is_told_once_all_wait_for_their_record() -> None:
    # Given three workers and five items. Two that are done wait for the third: one commit is for all of them.
    tries = Tries(waits=True)
    with workers(3, tries, each=True) as made:
        made.give([claimed(number) for number in range(5)], ENOUGH)
        eventually(lambda: len(tries.begun) == 3)
        for count in (1, 2):
            tries.go.release()
            done(made, count)
            assert made.news.is_set() and not made.idle.is_set()
        tries.go.release()
        assert made.idle.wait(30)
        made.recorded(made.done())
        made.give([], ENOUGH)
        assert not made.idle.is_set()
        # The last two are done by two: the third worker has nothing to do.
        tries.go.release(2)
        assert made.idle.wait(30) and len(made.done()) == 2


def test_what_was_not_begun_is_given_back() -> None:
    tries = Tries(waits=True)
    with workers(1, tries) as made:
        made.give([claimed(1), claimed(2, claim=5), claimed(3)], ENOUGH)
        eventually(lambda: tries.begun == [1])
        assert made.close() == {2: 5, 3: 1} and made.held == {1: 1}
        assert not made.join(0.01)
        tries.go.release()
        assert made.join(30)
        assert [end.item_id for end in made.done()] == [1]


@pytest.mark.parametrize(("enough", "begun"), [(ENOUGH, 3), (4, 2), (2, 4)])
def test_news_comes_when_little_is_left(enough: int, begun: int) -> None:
    tries = Tries(waits=True)
    with workers(1, tries) as made:
        made.give([claimed(one) for one in range(6)], enough)
        eventually(lambda: len(tries.begun) == 1)
        made.news.clear()
        for number in range(2, begun + 1):
            assert not made.news.is_set()
            tries.go.release()
            eventually(lambda: len(tries.begun) == number)
        eventually(made.news.is_set)
        assert made.waiting == 6 - begun
        made.news.clear()
        tries.go.release(6)
        eventually(made.news.is_set)


def test_an_item_that_is_taken_again_is_held_by_its_newest_claim() -> None:
    # Given an item that was reset while a worker is at it, and that the run has taken again.
    tries = Tries(waits=True)
    with workers(1, tries) as made:
        made.give([claimed(1, claim=1)], ENOUGH)
        eventually(lambda: tries.begun == [1])
        made.give([claimed(1, claim=2)], ENOUGH)
        tries.go.release()
        made.recorded(done(made, 1)[:1])
        assert made.held == {1: 2}
        tries.go.release()
        made.recorded(done(made, 1))
        assert made.held == {} and tries.begun == [1, 1]


@pytest.mark.parametrize("error", [Rejected("no child can be made"), RuntimeError("no child can be made")])
def test_a_worker_that_cannot_go_on_says_so(error: Exception) -> None:
    def make() -> Any:
        raise error

    with workers(1, Tries(), make=make) as made:
        made.give([claimed(1)], ENOUGH)
        eventually(lambda: made.error is not None)
        assert made.news.is_set() and made.held == {1: 1}
        assert isinstance(made.error, type(error) if isinstance(error, Rejected) else Unavailable)
        assert "no child can be made" in str(made.error)


def test_an_item_goes_back_that_nothing_was_ready_for() -> None:
    # Given two workers. What calls the function is ready for one of them alone; the other one's item was not begun.
    tries, first = Tries(waits=True), threading.Event()

    def only_once() -> Call:
        if first.is_set():
            raise Rejected("no child can be made")
        first.set()
        return call

    with workers(2, tries, make=lambda: nullcontext(only_once)) as made:
        made.give([claimed(1), claimed(2)], ENOUGH)
        eventually(lambda: made.error is not None)
        (begun,) = tries.begun
        waits = made.close()
        tries.go.release()
        assert made.join(30)
        assert [end.item_id for end in made.done()] == [begun]
        assert {**waits, **made.close()} == {3 - begun: 1}
        assert made.held == {begun: 1}


def test_what_is_made_for_a_worker_ends_with_it() -> None:
    ended: list[str] = []

    @contextmanager
    def make() -> Iterator[Ready]:
        yield ready
        ended.append("ended")

    with workers(2, Tries(), make=make) as made:
        made.give([claimed(1)], ENOUGH)
        done(made, 1)
        assert ended == []
    assert ended == ["ended"]
