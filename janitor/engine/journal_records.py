"""The journal's records: what a record is, which records are merged, and whether an error concerns one or all."""

import logging
import sqlite3
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pymysql
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from janitor.databases.mysql_error_numbers import STATEMENT_TOO_LONG
from janitor.errors import Fenced, JanitorError, Rejected, Unavailable, summary
from janitor.runs import Fence
from janitor.state.fences import hold
from janitor.state.slot_records import HasOutcome, LostSlots

log = logging.getLogger(__name__)

FAILURES = (
    JanitorError,
    SQLAlchemyError,
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    RuntimeError,
    ArithmeticError,
    AssertionError,
    MemoryError,
    OSError,
)
"""What writing a record may raise. An error that is no JanitorError gives up one record alone."""


OTHERS = "; later slots were lost for other reasons"


@dataclass
class Stretch:
    """Lost slots that wait to be written, and grow by the slots that follow them."""

    lost: LostSlots

    def takes(self, later: LostSlots, for_any_reason: bool = False) -> bool:
        """Whether later slots were lost for the same reason, with none between."""
        same = self.lost.outcome is later.outcome and (for_any_reason or self.lost.reason == later.reason)
        return same and later.goes_on_after(self.lost.last_at)

    def grow(self, later: LostSlots) -> None:
        """Take in later slots; if they were lost for another reason, the reason says that there were others."""
        reason = self.lost.reason
        if later.reason != reason and not reason.endswith(OTHERS):
            reason += OTHERS
        self.lost = replace(self.lost, last_at=later.last_at, slots=self.lost.slots + later.slots, reason=reason)


@dataclass(eq=False)
class Record:
    """One thing to write, under `fences`; it is `answered` once it is written, has failed, or has to wait.

    While the state database is away, a `kept` record waits, and any other fails. A record of lost slots has its
    `stretch`. If the state database refuses the record for what it holds, `short` writes what can be written in its
    place, and is given the reason in words; `refused` is then the error.
    """

    write: Callable[[Connection], Any]
    fences: tuple[Fence, ...] = ()
    kept: bool = False
    stretch: Stretch | None = None
    answered: threading.Event = field(default_factory=threading.Event)
    short: Callable[[Connection, str], Any] | None = None
    result: Any = None
    error: Exception | None = None
    refused: Exception | None = None


def merged(records: Sequence[Record], for_any_reason: bool = False) -> list[Record]:
    """The records in their order; lost slots that follow one another become a single record.

    They must be lost for the same reason, unless `for_any_reason`. A job's first stretch does not grow: it may be on
    record already.
    """
    kept: list[Record] = []
    newest: dict[str, tuple[Record, bool]] = {}
    for record in records:
        if record.stretch is not None:
            job = record.stretch.lost.job
            before, may_grow = newest.get(job, (None, False))
            if before is not None and may_grow and _grows(before, record, for_any_reason):
                continue
            newest[job] = record, before is not None
        kept.append(record)
    return kept


def _grows(before: Record, record: Record, for_any_reason: bool) -> bool:
    if before.stretch is None or record.stretch is None or before.fences != record.fences:
        return False
    if not before.stretch.takes(record.stretch.lost, for_any_reason):
        return False
    before.stretch.grow(record.stretch.lost)
    return True


def is_recorded(error: Exception) -> bool:
    """Whether a record was refused because it is there already."""
    return isinstance(error, HasOutcome) or isinstance(
        error.__cause__, (sqlite3.IntegrityError, pymysql.err.IntegrityError)
    )


def concerns_one(error: Exception) -> bool:
    """Whether an error is one record's own; if not, the state database fails for all."""
    if not isinstance(error, (Unavailable, Rejected, OSError)):
        return True
    return is_recorded(error) or is_unfit(error)


def is_unfit(error: Exception) -> bool:
    """Whether a record was refused for what it holds: it is too large, or has a value that the database does not take.

    To try it again would be in vain.
    """
    if not isinstance(error, JanitorError):
        return not isinstance(error, OSError)
    cause = error.__cause__
    too_large = isinstance(cause, pymysql.err.Error) and cause.args[:1] == (STATEMENT_TOO_LONG,)
    return too_large or isinstance(cause, (sqlite3.DataError, pymysql.err.DataError))


def write_apart(connection: Connection, record: Record) -> None:
    """Write a record by itself, or what can be written of it; an error of its own stays with it, others are raised."""
    record.error, record.refused = _tried(connection, record, record.write), None
    if record.error is not None and record.short is not None and is_unfit(record.error):
        record.refused, short = record.error, record.short
        said = str(record.error) if isinstance(record.error, JanitorError) else summary(record.error)
        why = f"the state database refused the whole record: {said}"
        record.error = _tried(connection, record, lambda connection: short(connection, why))


def _tried(connection: Connection, record: Record, write: Callable[[Connection], Any]) -> Exception | None:
    try:
        with connection.begin_nested():
            hold(connection, record.fences, alone=True)
            record.result = write(connection)
    except FAILURES as exc:
        if not concerns_one(exc):
            raise
        return exc
    return None


def tell_what_came(record: Record) -> None:
    """Log if a kept record is not written, or not as a whole."""
    if record.refused is not None:
        log.error("a record was refused for what it holds, and a short record stands in its place: %s", record.refused)
    if record.kept and record.error is not None:
        tell_given_up(record.error)


def tell_given_up(error: Exception) -> None:
    """Log that a kept record is not written, at the level that its reason deserves."""
    if is_recorded(error):
        log.info("already recorded: %s", error)
    elif isinstance(error, Fenced):
        log.warning("not recorded: %s", error)
    else:
        log.error("a record cannot be written and is given up", exc_info=error)
