"""Reading ahead: what comes next is made in threads of its own while one item is worked on."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Made = TypeVar("Made")


def ahead(items: Iterator[Item]) -> Iterator[Item]:
    """The same items in the same order, each asked for while the one before it is still worked on.

    Whoever stops early waits for the one item that is being made. What `items` raises, this raises, in its turn.
    """
    end = object()
    with ThreadPoolExecutor(1, "ahead") as thread:
        coming = thread.submit(next, items, end)
        while (item := coming.result()) is not end:
            coming = thread.submit(next, items, end)
            yield item  # type: ignore[misc]


def each_ahead(make: Callable[[Item], Made], items: Iterable[Item], at_once: int) -> Iterator[Made]:
    """What `make` makes of each item, in their order; up to `at_once` of them are being made, or wait to be taken.

    Whoever stops early waits for those that are being made. What `make` raises, this raises, in its turn.
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
