"""The journal: what is recorded of runs, in order, many at a time, kept while the state database is away."""

import collections
import logging
import sqlite3
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pymysql
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from janitor.databases.errors import lost_a_race
from janitor.errors import Fenced, JanitorError, Rejected, Unavailable
from janitor.runs import Fence
from janitor.state import State
from janitor.state.database import hold
from janitor.state.run_records import LostSlots

log = logging.getLogger(__name__)

TOGETHER = 200
"""How many records are written in one transaction: a commit waits for the disk, and so do all who wait for it."""
MOST_WAITING = 10_000
"""How many records wait in memory while the state database is away; the oldest give way."""
LOOK_SECONDS = 1.0
DEADLOCK_TRIES = 5
FAILURES = (JanitorError, SQLAlchemyError, ValueError, TypeError, LookupError, AttributeError, RuntimeError)
"""What writing a record may raise; by what is no JanitorError, one record alone is given up."""


@dataclass(eq=False)
class Record:
    """One thing to write; `kept` until it is written, or else given up with an error where the state database is away.

    `fences` are the leases under which it is true. Of `lost` slots, those of one job and reason become one record.
    """

    write: Callable[[Connection], Any]
    fences: tuple[Fence, ...] = ()
    kept: bool = False
    lost: LostSlots | None = None
    answered: threading.Event = field(default_factory=threading.Event)
    result: Any = None
    error: Exception | None = None


class Journal:
    """Writes records in the order in which they were added; whoever needs one first writes for all who wait."""

    def __init__(self, state: State) -> None:
        """Nothing is opened before the first record."""
        self._state = state
        self._queue: collections.deque[Record] = collections.deque()
        self._turn = threading.Lock()
        self._away, self._in_hand = False, 0

    @property
    def waiting(self) -> int:
        """How many records are not written yet."""
        return len(self._queue) + self._in_hand

    def add(self, record: Record) -> Record:
        """Put a record at the end; it is written when somebody next calls `result`, `settle` or `flush`."""
        self._queue.append(record)
        return record

    def result(self, record: Record) -> Any:
        """What the record's `write` returned, once it is committed.

        Raises:
            Fenced: one of its leases is lost; nothing is written.
            Rejected: what it says is recorded already, as `is_recorded` tells, or the state database says no.
            Unavailable: the state database is away.
        """
        self.settle(record)
        if record.error is not None:
            raise record.error
        return record.result

    def settle(self, record: Record | None = None) -> None:
        """Write what waits; with a `record`, until it is written or, where the state database is away, waits on."""
        self._write_out()
        while record is not None and not record.answered.wait(LOOK_SECONDS):
            self._write_out()

    def flush(self) -> None:
        """Write what waits.

        Raises:
            Unavailable, Rejected: the state database is away; nothing is lost.
        """
        if self.waiting:
            with self._turn:
                failure = self._drain()
            if failure is not None:
                raise failure

    def _write_out(self) -> None:
        """Write for all who wait, where nobody does so already."""
        while self._queue and self._turn.acquire(blocking=False):
            try:
                failure = self._drain()
            finally:
                self._turn.release()
            if failure is not None and not self._away:
                log.warning("what is recorded waits in memory until the state database is back: %s", failure)
            self._away = failure is not None
            if failure is not None:
                return

    def _drain(self) -> JanitorError | None:
        while self._queue:
            self._in_hand = min(TOGETHER, len(self._queue))
            batch = [self._queue.popleft() for _ in range(self._in_hand)]
            try:
                self._write(batch)
            except JanitorError as exc:
                self._put_back(batch, exc)
                return exc
            finally:
                self._in_hand = 0
            for record in batch:
                record.answered.set()
                if record.kept and record.error is not None:
                    _tell(record.error)
        return None

    def _write(self, batch: Sequence[Record]) -> None:
        for attempt in range(1, DEADLOCK_TRIES + 1):
            try:
                return self._write_together(batch)
            except FAILURES as exc:
                if _concerns_one(exc):
                    return self._write_apart(batch)
                if attempt == DEADLOCK_TRIES or not lost_a_race(exc):
                    raise

    def _write_together(self, batch: Sequence[Record]) -> None:
        """All or none: what one of them cannot have, none has."""
        fences = {fence for record in batch for fence in record.fences}
        with self._state.begin(*sorted(fences)) as connection:
            for record in batch:
                record.error, record.result = None, record.write(connection)

    def _write_apart(self, batch: Sequence[Record]) -> None:
        """In one transaction, but each record with an outcome of its own."""
        with self._state.begin() as connection:
            for record in batch:
                record.error = None
                try:
                    with connection.begin_nested():
                        hold(connection, record.fences)
                        record.result = record.write(connection)
                except FAILURES as exc:
                    if not _concerns_one(exc):
                        raise
                    record.error = exc

    def _put_back(self, batch: Sequence[Record], error: JanitorError) -> None:
        """Keep what is kept, merged, and let all others fail: each attempt on an absent server takes its time."""
        rest = [*batch, *(self._queue.popleft() for _ in range(len(self._queue)))]
        for record in rest:
            if not record.kept:
                record.error = error
            record.answered.set()
        kept = _merged([record for record in rest if record.kept])
        if len(kept) > MOST_WAITING:
            log.error("%d records are given up: too many wait for the state database", len(kept) - MOST_WAITING)
        self._queue.extendleft(reversed(kept[-MOST_WAITING:]))


def _merged(records: Sequence[Record]) -> list[Record]:
    """The records, one for each stretch of lost slots; a job's first stays alone, it may be on record already."""
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
    if one is None or other is None or before.fences != record.fences:
        return False
    return (one.outcome, one.reason) == (other.outcome, other.reason) and other.goes_on_after(one.last_at)


def _tell(error: Exception) -> None:
    if is_recorded(error):
        log.info("already recorded: %s", error)
    elif isinstance(error, Fenced):
        log.warning("not recorded: %s", error)
    else:
        log.error("a record cannot be written and is given up", exc_info=error)


def is_recorded(error: Exception) -> bool:
    """Whether a record was refused for being there already."""
    return isinstance(error.__cause__, (sqlite3.IntegrityError, pymysql.err.IntegrityError))


def _concerns_one(error: Exception) -> bool:
    # These two concern the state database, and with it all records.
    if not isinstance(error, (Unavailable, Rejected)):
        return True
    return is_recorded(error) or isinstance(error.__cause__, (sqlite3.DataError, pymysql.err.DataError))
