"""The journal: what is recorded of runs, in its order, many records in one transaction, kept while the state database is away."""

import collections
import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from janitor.errors import Fenced, JanitorError, Skip, Unavailable
from janitor.runs import Fence
from janitor.state import State
from janitor.state.database import hold
from janitor.state.runs import LostSlots

log = logging.getLogger(__name__)

TOGETHER = 200
"""How many records are written in one transaction: a commit waits for the disk, and so do all who wait for it."""
MOST_WAITING = 10_000
"""How many records wait in memory while the state database is away; the oldest give way."""
DEADLOCK_TRIES = 5
OF_ONE = (SQLAlchemyError, ValueError, TypeError, Fenced, Skip)
"""The errors of one record alone; any other one concerns the state database, and with it all records."""


@dataclass(eq=False)
class Record:
    """One thing to write; `kept` until it is written, or else given up with an error where the state database is away.

    `fences` are the leases under which it is true. Of `lost` slots, those of one job, reason and fence become one record.
    """

    write: Callable[[Connection], Any]
    fences: tuple[Fence, ...] = ()
    kept: bool = False
    lost: LostSlots | None = None
    settled: bool = False
    result: Any = None
    error: Exception | None = None


class Journal:
    """Writes records in the order in which they were added; whoever needs one first writes for all who wait."""

    def __init__(self, state: State) -> None:
        """Nothing is opened before the first record."""
        self._state = state
        self._queue: collections.deque[Record] = collections.deque()
        self._turn = threading.Lock()
        self._away = False

    @property
    def waiting(self) -> int:
        """How many records are not written yet."""
        return len(self._queue)

    def add(self, record: Record) -> Record:
        """Put a record at the end; it is written when somebody next calls `result`, `settle` or `flush`."""
        self._queue.append(record)
        return record

    def result(self, record: Record) -> Any:
        """What the record's `write` returned, once it is committed.

        Raises:
            Fenced: one of its leases is lost; nothing is written.
            IntegrityError: what it says is recorded already.
            Unavailable, Rejected: the state database is away, or says no.
        """
        with self._turn:
            if not record.settled:
                self._drain()
        if record.error is not None:
            raise record.error
        return record.result

    def settle(self) -> None:
        """Write what waits; records that are kept go on waiting where the state database is away."""
        with self._turn:
            failure = self._drain()
        if failure is not None and not self._away:
            log.warning("what is recorded waits in memory until the state database is back: %s", failure)
        self._away = failure is not None

    def flush(self) -> None:
        """Write what waits.

        Raises:
            Unavailable, Rejected: the state database is away; nothing is lost.
        """
        if self._queue:
            with self._turn:
                failure = self._drain()
            if failure is not None:
                raise failure

    def _drain(self) -> JanitorError | None:
        while self._queue:
            batch = [self._queue.popleft() for _ in range(min(TOGETHER, len(self._queue)))]
            try:
                self._write(batch)
            except (JanitorError, SQLAlchemyError) as exc:
                away = exc if isinstance(exc, JanitorError) else Unavailable(f"the state database failed: {exc}")
                self._put_back(batch, away)
                return away
            for record in batch:
                record.settled = True
                if record.kept and record.error is not None:
                    _tell(record.error)
        return None

    def _write(self, batch: Sequence[Record]) -> None:
        for attempt in range(1, DEADLOCK_TRIES + 1):
            try:
                return self._write_alone(batch[0]) if len(batch) == 1 else self._write_together(batch)
            except JanitorError as exc:
                if attempt == DEADLOCK_TRIES or not _is_deadlock(exc):
                    raise

    def _write_alone(self, record: Record) -> None:
        record.error = None
        try:
            with self._state.begin(*record.fences) as connection:
                record.result = record.write(connection)
        except OF_ONE as exc:
            record.error = exc

    def _write_together(self, batch: Sequence[Record]) -> None:
        standing: set[Fence] = set()
        with self._state.begin() as connection:
            for record in batch:
                record.error = None
                try:
                    if not standing.issuperset(record.fences):
                        hold(connection, record.fences)
                        standing.update(record.fences)
                    with connection.begin_nested():
                        record.result = record.write(connection)
                except OF_ONE as exc:
                    record.error = exc

    def _put_back(self, batch: Sequence[Record], error: JanitorError) -> None:
        """Keep what is kept, merged, and let all others fail: each attempt on an absent server takes its time."""
        rest = [*batch, *(self._queue.popleft() for _ in range(len(self._queue)))]
        for record in rest:
            if not record.kept:
                record.error, record.settled = error, True
        kept = _merged([record for record in rest if record.kept])
        if len(kept) > MOST_WAITING:
            log.error("%d records are given up: too many wait for the state database", len(kept) - MOST_WAITING)
        self._queue.extendleft(reversed(kept[-MOST_WAITING:]))


def _merged(records: Sequence[Record]) -> list[Record]:
    """The records, with one for each stretch of lost slots; the first of a job stays alone, it may be on record already."""
    kept: list[Record] = []
    newest: dict[str, tuple[Record, bool]] = {}
    for record in records:
        if record.lost is not None:
            before, alone = newest.get(record.lost.job, (None, True))
            if before is not None and not alone and _continues(before, record):
                assert before.lost is not None
                slots = before.lost.slots + record.lost.slots
                before.lost = replace(before.lost, last_at=record.lost.last_at, slots=slots)
                continue
            newest[record.lost.job] = record, before is None
        kept.append(record)
    return kept


def _continues(before: Record, record: Record) -> bool:
    one, other = before.lost, record.lost
    if one is None or other is None or before.fences != record.fences or one.last_at >= other.first_at:
        return False
    return (one.outcome, one.reason) == (other.outcome, other.reason)


def _tell(error: Exception) -> None:
    if isinstance(error, IntegrityError):
        log.info("already recorded: %s", error.orig)
    elif isinstance(error, Fenced):
        log.warning("not recorded: %s", error)
    else:
        log.error("a record cannot be written and is given up", exc_info=error)


def _is_deadlock(error: JanitorError) -> bool:
    # MySQL takes a transaction back to end a deadlock, and means it to be tried again.
    return bool(error.__cause__ is not None and error.__cause__.args and error.__cause__.args[0] == 1213)
