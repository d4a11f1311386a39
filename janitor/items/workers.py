"""The workers of a run: threads that try items, one after the other, and hand over how each ended.

    the run's thread     gives items          waits until something is done, or too little is left
    a worker             takes the oldest     tries it     hands over its end     takes the next

With `record="each"` a worker takes the next item only once the end of the last is on record.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack
from typing import Any

from janitor.errors import JanitorError, Unavailable, is_a, summary
from janitor.guard import foreign_code
from janitor.items.trying import Call
from janitor.state.item_claims import Claimed
from janitor.state.item_endings import End

TryOne = Callable[[Claimed, Call], End]
Ready = Callable[[], Call]
"""Gives what calls the function, once that is ready for an item, and the run may still begin one.

A child process may have to be started. A process that was frozen may have lost its lease: it begins nothing more.
"""
MakeReady = Callable[[], AbstractContextManager[Ready]]
"""Makes the above for one worker; a child process ends with the block."""
LOOK_SECONDS = 1.0


class Workers:
    """So many threads at work; the methods are for the run's thread alone."""

    def __init__(self, count: int, try_one: TryOne, make_ready: MakeReady, each: bool) -> None:
        """No thread is started yet. With `each` the end of an item is recorded before the next is begun."""
        self._count, self._try_one, self._make_ready, self._each = count, try_one, make_ready, each
        self._waiting: deque[Claimed] = deque()
        self._ends: deque[End] = deque()
        self._more = threading.Condition()
        self._threads: list[threading.Thread] = []
        self._closed = False
        self._least = 0
        self.news = threading.Event()
        """Set if something is done that should be looked at soon."""
        self.idle = threading.Event()
        """Set, with `each`, if all workers wait for the record of what they did."""
        self.error: JanitorError | None = None
        """Why a worker could not go on; None if all can."""
        self.held: dict[int, int] = {}
        """The newest claim of each item that is not recorded yet."""

    def give(self, claimed: Sequence[Claimed], enough: int) -> None:
        """Let items be tried, in their order; `news` comes once no more than `enough` wait, or half of fewer."""
        with self._more:
            self.idle.clear()
            self.held.update({one.id: one.claim for one in claimed})
            self._waiting.extend(claimed)
            left = len(self._waiting)
            self._least = enough if left > enough else left // 2
            self._more.notify_all()
        while len(self._threads) < min(self._count, len(self.held)):
            self._start()

    def _start(self) -> None:
        thread = threading.Thread(target=self._work, name=f"{threading.current_thread().name} worker", daemon=True)
        self._threads.append(thread)
        thread.start()

    @property
    def waiting(self) -> int:
        """How many items wait for a worker."""
        return len(self._waiting)

    def done(self) -> list[End]:
        """The ends that are not recorded yet, without taking them away; the oldest first."""
        return list(self._ends)

    def recorded(self, ends: Sequence[End]) -> None:
        """Forget ends that are on record now: they are the oldest."""
        with self._more:
            for end in ends:
                self._ends.popleft()
                if self.held.get(end.item_id) == end.claim:
                    del self.held[end.item_id]
            if self._each:
                self._more.notify_all()

    def close(self) -> dict[int, int]:
        """Begin no further item; the claims of those that were not begun, of the last once all have ended."""
        left = {}
        with self._more:
            self._closed = True
            while (one := self._oldest()) is not None:
                left[one.id] = one.claim
                self.held.pop(one.id, None)
            self._more.notify_all()
        return left

    def join(self, seconds: float) -> bool:
        """Wait until every worker has ended its item; False if one has not after so long."""
        until = time.monotonic() + seconds
        for thread in self._threads:
            thread.join(max(0.0, until - time.monotonic()))
        return not any(thread.is_alive() for thread in self._threads)

    def _work(self) -> None:
        # What is made for a worker is anybody's: without this, the run would wait for a thread that is gone.
        with foreign_code(self._cannot_go_on, BaseException):
            self._go()

    def _cannot_go_on(self, error: BaseException) -> None:
        self.error = error if is_a(error, JanitorError) else Unavailable(f"a worker cannot go on: {summary(error)}")
        self.news.set()

    def _go(self) -> None:
        with ExitStack() as stack:
            ready: Any = None
            while (claimed := self._next()) is not None:
                call: Any = None
                try:
                    ready = ready or stack.enter_context(self._make_ready())
                    call = ready()
                finally:
                    if call is None:  # it could not be begun, so it waits again
                        self._waiting.appendleft(claimed)
                self._hand_over(self._try_one(claimed, call))

    def _next(self) -> Claimed | None:
        while not self._closed:
            claimed = self._oldest()
            if claimed is None:
                self._wait_for_more()
                continue
            if len(self._waiting) <= self._least:
                self._least = -1
                self.news.set()
            return claimed
        return None

    def _oldest(self) -> Claimed | None:
        """The item that waits longest, taken away; no lock is needed: it goes to one worker, or back in `close`."""
        try:
            return self._waiting.popleft()
        except IndexError:
            return None

    def _wait_for_more(self) -> None:
        with self._more:
            if not self._waiting and not self._closed:
                self.news.set()
                self._more.wait(LOOK_SECONDS)

    def _hand_over(self, end: End) -> None:
        self._ends.append(end)
        if not self._each:
            return
        self.news.set()
        if len(self._ends) >= min(self._count, len(self.held)):
            self.idle.set()
        with self._more:
            while end in self._ends and not self._closed:
                self._more.wait(LOOK_SECONDS)
