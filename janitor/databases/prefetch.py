"""Prefetching: threads make the next items while the caller works on the present item.

    read_ahead          one thread      the caller works on item 3, the thread reads item 4
    make_ahead(..., 2)  two threads     the caller works on item 3, the threads make items 4 and 5

The items keep their order, and no more of them are made ahead than was asked for.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Made = TypeVar("Made")


def read_ahead(items: Iterator[Item]) -> Iterator[Item]:
    """Yield the same items in the same order; the next item is read while the caller works on the present item.

    What `items` raises, this raises in its turn. A caller who stops early waits until the item being read is read.
    """
    end = object()
    with ThreadPoolExecutor(1, "ahead") as thread:
        coming = thread.submit(next, items, end)
        while (item := coming.result()) is not end:
            coming = thread.submit(next, items, end)
            yield item  # type: ignore[misc]


def make_ahead(make: Callable[[Item], Made], items: Iterable[Item], at_once: int) -> Iterator[Made]:
    """Yield what `make` makes of each item, in the order of the items; up to `at_once` are made ahead at a time.

    What `make` raises, this raises in its turn. A caller who stops early waits until those being made are made.
    """
    coming: deque[Future[Made]] = deque()
    with ThreadPoolExecutor(at_once, "ahead") as threads:
        try:
            for item in items:
                coming.append(threads.submit(make, item))
                if len(coming) > at_once:
                    yield coming.popleft().result()
            while coming:
                yield coming.popleft().result()
        finally:
            for future in coming:
                future.cancel()
