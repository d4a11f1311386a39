"""The journal: everything that is recorded of runs, in order, many records in one commit.

    threads of runs              the queue                 the state database
    add(record) ────────────>   r1 r2 r3 ... r200   ────>  one transaction, one commit
    wait until it is answered   <─────────────────────────  all are answered

1. A thread adds its record, then tries to take the turn. Whoever has the turn writes for all who wait.
2. So while one commit waits for the disk, records gather, and the next commit writes them all: 200 at most.
3. If one record is refused, the batch is written again with a savepoint for each record: only that one fails. If it
   is refused for what it holds, a short record takes its place: nobody waits for what can never be written.
4. A record has fences: the leases under which it is true. They are looked at in the same transaction.
5. While the state database is away, the records that must not be lost wait in memory, in order. The others fail
   at once, as each attempt on an absent server takes its time. Lost slots that follow one another become one record.
6. A deadlock is tried again, up to five times.
7. A transaction ends after a second, and the rest of its records come with the next. Between them leases are renewed:
   so there is a pause, since whoever waits for a SQLite file looks only each tenth of a second.

It is our own because a transaction for each record waits for the disk once a record: `benchmarks/many_jobs.py` and
`benchmarks/recording.py` measure it.
"""

import collections
import logging
import math
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from janitor.databases.errors import lost_a_race
from janitor.engine.journal_records import FAILURES, Record, concerns_one, merged, tell_what_came, write_apart
from janitor.engine.obstacles import RECORDING, Obstacles
from janitor.errors import JanitorError, Rejected, Unavailable, summary
from janitor.state import State

log = logging.getLogger(__name__)

TOGETHER = 200
"""How many records are written in one transaction."""
MOST_SECONDS = 1.0
"""For how long a transaction takes further records: whoever renews leases waits for it."""
PAUSE_SECONDS = 0.15
"""How long others have their turn after a transaction that took that long."""
MOST_WAITING = 10_000
"""How many records wait in memory while the state database is away; the oldest give way."""
LOOK_SECONDS = 1.0
"""How often a thread that waits for an answer looks whether it must write itself."""
DEADLOCK_TRIES = 5


class Journal:
    """Writes records in the order in which they were added."""

    def __init__(
        self,
        state: State,
        obstacles: Obstacles | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], object] = threading.Event().wait,
    ) -> None:
        """Nothing is opened before the first record; `obstacles` are told if nothing can be written.

        Pauses are no `time.sleep`, which fails now and then where libfaketime sets the clock.
        """
        self._state, self._obstacles = state, obstacles or Obstacles()
        self._clock, self._sleep = clock, sleep
        self._queue: collections.deque[Record] = collections.deque()
        self._turn = threading.Lock()
        self._in_hand = 0
        self.waits_since: float | None = None
        """Since when some record waits, by `time.monotonic`, and none was written or rejected; None if none waits."""

    @property
    def waiting(self) -> int:
        """How many records are not written yet."""
        return len(self._queue) + self._in_hand

    def add(self, record: Record) -> Record:
        """Put a record at the end; it is written when a thread next calls `result`, `settle` or `flush`."""
        self._queue.append(record)
        if self.waits_since is None:
            self.waits_since = self._clock()
        return record

    def result(self, record: Record) -> Any:
        """What the record's `write` returned, once it is committed.

        Raises:
            Fenced: one of its leases is lost; nothing is written.
            Rejected: it is recorded already, as `is_recorded` tells, or the state database says no.
            Unavailable: the state database is away.
        """
        self.settle(record)
        if record.error is not None:
            raise record.error
        return record.result

    def settle(self, record: Record | None = None) -> None:
        """Write what waits; with a `record`, return once it is answered.

        While the state database is away, a kept record is answered although it still waits.
        """
        self._write_out()
        while record is not None and not record.answered.wait(LOOK_SECONDS):
            self._write_out()

    def flush(self, wait: bool = True, seconds: float = math.inf) -> bool:
        """Write what waits; if another thread writes already, `wait` for it, or leave it at that.

        After so many seconds no further transaction begins. True if nothing waited any more at the end.

        Raises:
            Unavailable, Rejected: the state database is away; nothing is lost.
        """
        if not self.waiting:
            # What could not be written may have failed, and waits no more.
            self.waits_since = None
            self._obstacles.overcome(RECORDING)
            return True
        if not self._turn.acquire(blocking=wait):
            return False
        try:
            failure = self._drain(self._clock() + seconds)
            is_over = not self._queue
        finally:
            self._turn.release()
        if failure is not None:
            raise failure
        return is_over

    def _write_out(self) -> None:
        """Write for all who wait, unless another thread has the turn."""
        while self._queue and self._turn.acquire(blocking=False):
            try:
                failure = self._drain()
            finally:
                self._turn.release()
            if failure is not None:
                return

    def _drain(self, until: float = math.inf) -> JanitorError | None:
        """Write batch after batch; why the state database is away, None if all are written, or the time is over."""
        while self._queue and (began := self._clock()) < until:
            failure = self._write_next()
            if failure is not None:
                self._tell(failure)
                return failure
            if self._queue and self._clock() - began >= MOST_SECONDS:
                self._sleep(PAUSE_SECONDS)
        return None

    def _write_next(self) -> JanitorError | None:
        """Write a batch, or as much of it as there is time for; why the state database is away."""
        self._in_hand = min(TOGETHER, len(self._queue))
        batch = [self._queue.popleft() for _ in range(self._in_hand)]
        # An error that nobody expects goes to whoever writes: it costs no record, and nobody waits for it.
        failure: JanitorError | None = Unavailable("nothing can be recorded: it was interrupted")
        written = 0
        try:
            written, failure = self._written_of(batch)
        finally:
            if failure is not None:
                self._put_back(batch, failure)
            self._queue.extendleft(reversed(batch[written:] if failure is None else ()))
            self._in_hand = 0
        if failure is None:
            self._answer(batch[:written])
        return failure

    def _answer(self, written: Sequence[Record]) -> None:
        self.waits_since = self._clock() if self._queue else None
        self._obstacles.overcome(RECORDING)
        for record in written:
            record.answered.set()
            tell_what_came(record)

    def _tell(self, failure: JanitorError) -> None:
        seconds = self._obstacles.meet(RECORDING, failure)
        if isinstance(failure, Rejected):
            self.waits_since = self._clock()
        if seconds == 0:
            log.warning("what is recorded waits in memory until the state database is back: %s", failure)
        elif seconds is not None:
            text = "what is recorded has waited in memory for %.0f s until the state database is back: %s"
            log.warning(text, seconds, failure)

    def _written_of(self, batch: Sequence[Record]) -> tuple[int, JanitorError | None]:
        """Write a batch; how many of its records are written, and why the state database is away."""
        try:
            return self._write(batch), None
        except FAILURES as exc:
            return 0, exc if isinstance(exc, JanitorError) else Unavailable(f"nothing can be recorded: {summary(exc)}")

    def _write(self, batch: Sequence[Record]) -> int:
        for attempt in range(1, DEADLOCK_TRIES + 1):
            try:
                return self._write_together(batch)
            except FAILURES as exc:
                if concerns_one(exc):
                    return self._write_apart(batch)
                if attempt == DEADLOCK_TRIES or not lost_a_race(exc):
                    raise
        raise AssertionError("unreachable")

    def _write_together(self, batch: Sequence[Record]) -> int:
        """As many as there is time for. If one of them is refused, none is written."""
        fences, written = {fence for record in batch for fence in record.fences}, 0
        with self._state.begin(*sorted(fences), alone=True, patient=True) as connection:
            for record in self._in_time(batch):
                record.error, record.refused, record.result = None, None, record.write(connection)
                written += 1
        return written

    def _write_apart(self, batch: Sequence[Record]) -> int:
        """In one transaction too, with a savepoint for each record, so that each is written or refused by itself."""
        written = 0
        with self._state.begin(patient=True) as connection:
            for record in self._in_time(batch):
                write_apart(connection, record)
                written += 1
        return written

    def _in_time(self, batch: Sequence[Record]) -> Iterator[Record]:
        """The first record of a batch, and those that follow within `MOST_SECONDS`."""
        until = self._clock() + MOST_SECONDS
        for number, record in enumerate(batch):
            if number and self._clock() >= until:
                return
            yield record

    def _put_back(self, batch: Sequence[Record], error: JanitorError) -> None:
        """Let kept records wait at the front, merged, and let all others fail."""
        rest = [*batch, *(self._queue.popleft() for _ in range(len(self._queue)))]
        for record in rest:
            if not record.kept:
                record.error = error
            record.answered.set()
        kept = merged([record for record in rest if record.kept])
        if len(kept) > MOST_WAITING:
            # A slot whose record is given up would never have an outcome.
            kept = merged(kept, for_any_reason=True)
        if len(kept) > MOST_WAITING:
            log.error("%d records are given up: too many wait for the state database", len(kept) - MOST_WAITING)
        self._queue.extendleft(reversed(kept[-MOST_WAITING:]))
