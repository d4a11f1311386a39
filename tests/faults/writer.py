"""The writer: it changes the source warehouses as a seed says, at a pace, and keeps a ledger of its changes."""

import heapq
import itertools
import random
import threading
import time
from collections.abc import Callable
from typing import Self

from sqlalchemy.exc import DBAPIError

from janitor.guard import foreign_code
from tests.faults.ledger import Ledger
from tests.faults.sequencing import Sequencing
from tests.faults.source import Transaction
from tests.faults.storage import Storage
from tests.fixtures import Warehouses

AWAY_SECONDS = 90.0
"""How long a warehouse may be away before the writer gives up and the test fails."""
PAUSE_SECONDS = 0.2


class Writer:
    """Makes one change a step. The seed decides which, and how many steps later an open transaction commits.

        writer = Writer(warehouses, seed)
        writer.start(steps=200, a_second=40)    # in a thread of its own
        writer.finish()                         # waits for it, commits what is open, completes what was begun

    If a server refuses a change or dies with it, the change is given up and counted in `ledger.failed`. With
    `announced_only` it makes only changes that a follow can find: parts come before their status, and every change
    has an audit.
    """

    def __init__(self, warehouses: Warehouses, seed: int) -> None:
        """Look at what the warehouses hold; nothing is written yet."""
        self.ledger = Ledger()
        self.announced_only = False
        self.a_second = 30.0
        self.chance = random.Random(seed)
        self.steps = 0
        self._later: list[tuple[int, int, Callable[[], None]]] = []
        self._open: set[Transaction] = set()
        self._order = itertools.count()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._failure: BaseException | None = None
        labwhere, mlwh, events = warehouses.labwhere_url, warehouses.mlwh_url, warehouses.events_url
        self.storage = Storage(labwhere, mlwh, self.ledger, self.chance, self._hold)
        self.sequencing = Sequencing(mlwh, events, self.ledger, self.chance, self._hold, self._do_later)

    def start(self, steps: int = 1_000_000, a_second: float = 30.0) -> Self:
        """Make `steps` steps in a thread of its own, `a_second` each second; `a_second` may be changed later."""
        assert self._thread is None, "this writer writes already"
        self._stop.clear()
        self.a_second = a_second
        self._thread = threading.Thread(target=self._loop, args=(steps,), name="writer", daemon=True)
        self._thread.start()
        return self

    def pause(self) -> None:
        """End the thread. Open transactions stay open, and `start` goes on."""
        if self._thread is not None:
            self._stop.set()
            self._thread.join(AWAY_SECONDS * 2)
            assert not self._thread.is_alive(), "the writer does not come to its end"
            self._thread = None
        if self._failure is not None:
            raise self._failure

    def run(self, steps: int) -> None:
        """Make `steps` steps in this thread, as fast as possible."""
        for _ in range(steps):
            self.step()

    def finish(self) -> Ledger:
        """End the thread, commit what is open, complete what was begun, and return the ledger."""
        self.pause()
        while self._later:
            self._attempt(heapq.heappop(self._later)[2])
        return self.ledger

    def close(self) -> None:
        """End the thread, drop what is open and close every connection."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(AWAY_SECONDS * 2)
        for change in list(self._open):
            change.drop()
        self.storage.close()
        self.sequencing.close()

    def step(self) -> None:
        """Do what is due, and then one new change. A refused change is not done again."""
        self.steps += 1
        while self._later and self._later[0][0] <= self.steps:
            self._attempt(heapq.heappop(self._later)[2])
        kinds = self.storage.deeds(self.announced_only) + self.sequencing.deeds(self.announced_only)
        [deed] = self.chance.choices([deed for _, deed in kinds], [weight for weight, _ in kinds])
        self._attempt(deed)

    def _loop(self, steps: int) -> None:
        with foreign_code(self._fail, BaseException):
            for _ in range(steps):
                if self._stop.wait(1 / self.a_second):
                    return
                self.step()

    def _fail(self, failure: BaseException) -> None:
        """Keep what ended the loop; `pause` raises it."""
        self._failure = failure

    def _attempt(self, deed: Callable[[], None]) -> None:
        """Do something; if a server is away, wait until it is back."""
        try:
            deed()
        except DBAPIError as exc:
            self.ledger.failed["steps"] += 1
            if exc.connection_invalidated or _is_away(exc):
                self._wait(exc)

    def _wait(self, error: DBAPIError) -> None:
        end = time.monotonic() + AWAY_SECONDS
        while not self._stop.is_set():
            try:
                for source in (self.storage.source, self.sequencing.mlwh, self.sequencing.events):
                    source.read("SELECT 1")
                return
            except DBAPIError:
                if time.monotonic() > end:
                    raise error from None
                time.sleep(PAUSE_SECONDS)

    def _hold(self, change: Transaction, steps: int) -> None:
        self._open.add(change)

        def commit() -> None:
            self._open.discard(change)
            change.commit()

        self._do_later(commit, steps)

    def _do_later(self, act: Callable[[], None], steps: int) -> None:
        heapq.heappush(self._later, (self.steps + steps, next(self._order), act))


def _is_away(error: DBAPIError) -> bool:
    code = error.orig.args[0] if error.orig is not None and error.orig.args else None
    return code in (2002, 2003, 2006, 2013, 2055)
