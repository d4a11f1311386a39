"""Write rows to a table: only what differs, in bulk."""

import logging
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from functools import cached_property
from typing import Any, NamedTuple

from sqlalchemy import URL, Connection, TextClause
from tenacity import RetryCallState, Retrying, retry_if_exception, stop_after_attempt, wait_random_exponential

from janitor import databases
from janitor.databases.errors import lost_a_race
from janitor.errors import JanitorError
from janitor.runs import current_run
from janitor.table_sink.columns import Layout, Row
from janitor.table_sink.counts import Compared, Written
from janitor.table_sink.mysql import MySqlTable
from janitor.table_sink.plan import Plan, Refused, Rules
from janitor.table_sink.row_texts import TextPage, fetch
from janitor.table_sink.sqlite import SqliteTable
from janitor.table_sink.table import Table
from janitor.table_sink.target import Target, layout_of

__all__ = ["CHUNK_ROWS", "Compared", "Refused", "TableSink", "Written"]

CHUNK_ROWS = 2000
"""Rows compared by one statement and written by one transaction: measured; 1,000 to 5,000 differ little."""

ATTEMPTS = 5
"""How often a chunk is tried when it loses a race against another session."""

logger = logging.getLogger(__name__)


class _Chunk(NamedTuple):
    """The rows of one chunk that fit, those of them that may have to be written, and how many were found stored."""

    fitting: list[Row]
    suspects: list[Row]
    found: int

    @property
    def settled(self) -> set[Row]:
        """The rows known to be stored just so."""
        return set(self.fitting).difference(self.suspects) if len(self.suspects) < len(self.fitting) else set()


@dataclass
class _Guess:
    """Whether the next chunk's keys are likely all new, as the last one's were."""

    all_new: bool = False


@dataclass(frozen=True)
class TableSink:
    """A table that receives rows; its columns' limits are read from it once, at the first use.

    `columns` name the parts of a row, the unique column `key` among them. `owner` is part of every row, and rows with
    other values there are never touched. A row is never replaced by one with an older value of the column `newer`.
    The columns `created_at` and `updated_at`, where given, receive the moment at which a row was added or changed, in
    UTC. One sink may serve several threads.
    """

    url: URL
    table: str
    key: str
    columns: tuple[str, ...]
    owner: Mapping[str, Any] = field(default_factory=dict)
    newer: str | None = None
    created_at: str | None = None
    updated_at: str | None = None
    _guess: _Guess = field(default_factory=_Guess, init=False, repr=False, compare=False)

    def write(self, rows: Sequence[Row], now: datetime, *, mostly_new: bool = False) -> Written:
        """Make the target hold these rows, writing only what differs, in one transaction per chunk of 2,000 rows.

        A row that does not fit, or whose key belongs to another owner, is refused, and the others are written. Of rows
        with one key (to the table's own collation) the newest is written and the others are refused; of equally new
        ones the one that is stored already, else the last. Calling it again is harmless and writes nothing.

        `mostly_new` is for filling a table: after a chunk of which no key was there, the next is inserted without
        asking. A wrong guess (one, where keys that are there begin) is made good, but uses up AUTO_INCREMENT values.

        Raises:
            Unavailable, Rejected: the server's reason; the chunks before are written, the current one not at all.
            DeadlineExceeded, Cancelled: the run is to end; as above.
        """
        written = Written()
        for rows_of_chunk in _chunks(rows):
            fitting, refused = self._fitting(rows_of_chunk)
            plan = self._inserted(fitting, now) if mostly_new and self._guess.all_new else None
            chunk = self._chunk(fitting) if plan is None else _Chunk(fitting, fitting, 0)
            if plan is None:
                plan = self._carry_out(chunk, now) if chunk.suspects else Plan()
            self._guess.all_new = bool(fitting) and len(plan.missing) == len(fitting)
            unchanged = plan.unchanged + len(fitting) - len(chunk.suspects)
            written += Written(len(plan.missing), len(plan.changed), unchanged, plan.older, (*refused, *plan.refused))
        return written

    def compare(self, rows: Sequence[Row]) -> Compared:
        """What `write` would do with these rows at this moment; nothing is written and nothing locked.

        Raises:
            Unavailable, Rejected, DeadlineExceeded, Cancelled: as `write` does.
        """
        compared = Compared()
        for rows_of_chunk in _chunks(rows):
            fitting, refused = self._fitting(rows_of_chunk)
            chunk, plan = self._chunk(fitting), Plan()
            if chunk.suspects:
                with databases.read(self.url) as connection:
                    plan = self._plan(connection, chunk, lock=False)
            unchanged = plan.unchanged + len(fitting) - len(chunk.suspects)
            refused += plan.refused
            compared += Compared(len(plan.missing), len(plan.changed), unchanged, plan.older, tuple(refused))
        return compared

    def wanted(self, source: URL, query: TextClause, parameters: Mapping[str, Any], id_name: str) -> TextPage:
        """The rows of a query on another database as texts that equal those of `stored` where the rows are equal.

        The query's columns are named as this sink's, and `id_name`, a whole number that tells rows without a text.

        Raises:
            Unavailable, Rejected, DeadlineExceeded, Cancelled: as `write` does.
        """
        return fetch(source, query, parameters, id_name, self.layout.own)

    def stored(self, page_rows: int = 5000) -> Iterator[TextPage]:
        """All of the owner's rows as texts, in pages; rows of other owners are passed over.

        Raises:
            Unavailable, Rejected, DeadlineExceeded, Cancelled: as `write` does.
        """
        after = None
        while True:
            with databases.read(self.url) as connection:
                page, after = self._statements.texts(connection, after, page_rows, self.owner)
            yield page
            if after is None:
                return

    def keys_of(self, page: TextPage) -> list[Any]:
        """The keys of rows that are given as texts."""
        return list(map(self.layout.key_in, page.texts))

    def delete(self, keys: Sequence[Any]) -> int:
        """Delete the owner's rows with these keys, in one transaction per chunk; how many there were.

        Raises:
            Unavailable, Rejected, DeadlineExceeded, Cancelled: as `write` does.
        """
        deleted = 0
        for chunk in _chunks(keys):
            count = 0
            for attempt in _attempts():
                with attempt, databases.begin(self.url) as connection:
                    count = self._statements.delete(connection, chunk, self.owner)
            deleted += count
        return deleted

    def check(self) -> None:
        """Find out whether the target has all that this sink needs: the table, the columns, the unique key.

        Raises:
            Unavailable, Rejected: what is missing, in one sentence.
        """
        self.__dict__.pop("layout", None)
        _ = self.layout

    @cached_property
    def layout(self) -> Layout:
        """What the target looks like, read from it at the first use.

        Raises:
            Unavailable, Rejected: as `check` does.
        """
        return layout_of(
            Target(self.url, self.table, self.key, self.columns, self.owner, self.created_at, self.updated_at)
        )

    @cached_property
    def _statements(self) -> Table:
        return (SqliteTable if databases.family(self.url) == "sqlite" else MySqlTable)(self.layout)

    @cached_property
    def _rules(self) -> Rules:
        return Rules(self.layout, next((one for one in self.layout.columns if one.name == self.newer), None))

    def _chunk(self, fitting: list[Row]) -> _Chunk:
        if not fitting:
            return _Chunk([], [], 0)
        with databases.read(self.url) as connection:
            return _Chunk(fitting, *self._statements.suspects(connection, fitting))

    def _inserted(self, fitting: list[Row], now: datetime) -> Plan | None:
        """Insert rows on the guess that all their keys are new; None, with nothing written, where one is not."""
        plan = self._rules.plan(fitting, [row[self.layout.key_at] for row in fitting], {}, set())
        try:
            with databases.begin(self.url) as connection:
                self._statements.insert(connection, plan.missing, _moment(now))
        except JanitorError as exc:
            if lost_a_race(exc):
                return None
            raise
        return plan

    def _carry_out(self, chunk: _Chunk, now: datetime) -> Plan:
        plan, moment = Plan(), _moment(now)
        for attempt in _attempts():
            with attempt, databases.begin(self.url) as connection:
                again = attempt.retry_state.attempt_number > 1
                plan = self._plan(connection, chunk, lock=True, careful=again)
                if plan.missing:
                    self._statements.insert(connection, plan.missing, moment)
                if plan.changed:
                    self._statements.update(connection, plan.changed, moment)
        return plan

    def _plan(self, connection: Connection, chunk: _Chunk, *, lock: bool, careful: bool = False) -> Plan:
        """Sort out the suspects by what is stored; `careful` after a key turned out not to be new."""
        at = self.layout.key_at
        keys = [row[at] for row in chunk.suspects]
        stored: dict[Any, Row] = {}
        if chunk.found or careful:
            stored = {row[at]: row for row in self._statements.stored(connection, keys, lock)}
        homes: list[Hashable] = list(keys)
        if careful or not stored.keys() <= set(keys):
            # The collation takes different texts for one key, and only the server knows which.
            found = self._statements.homes(connection, keys)
            homes = [(group,) if home is None else home for group, home in found]
        return self._rules.plan(chunk.suspects, homes, stored, chunk.settled)

    def _fitting(self, rows: list[Row]) -> tuple[list[Row], list[Refused]]:
        """The rows that fit, with the owner's values and as the driver would give them back, and those that do not."""
        columns = self.layout.columns
        values = [column.prepared(list(part)) for column, part in zip(columns, zip(*rows, strict=True))]
        refused: list[Refused] = []
        if not all(column.takes_all(part) for column, part in zip(columns, values)):
            values, refused = self._without_misfits(values)
        values += [[value] * len(values[0]) for value in self.owner.values()]
        return list(zip(*(column.stored(part) for column, part in zip(columns, values)))), refused

    def _without_misfits(self, values: list[list[Any]]) -> tuple[list[list[Any]], list[Refused]]:
        reasons: dict[int, list[str]] = {}
        for column, part in zip(self.layout.columns, values):
            for at, value in enumerate(part):
                if (reason := column.misfit(value)) is not None:
                    reasons.setdefault(at, []).append(reason)
        keys = values[self.layout.key_at]
        refused = [Refused(keys[at], "; ".join(found)) for at, found in sorted(reasons.items())]
        return [[value for at, value in enumerate(part) if at not in reasons] for part in values], refused


def _moment(now: datetime) -> datetime:
    return now if now.tzinfo is None else now.astimezone(timezone.utc).replace(tzinfo=None)


def _chunks(rows: Sequence[Any]) -> Iterator[list[Any]]:
    for start in range(0, len(rows), CHUNK_ROWS):
        current_run().check()
        yield list(rows[start : start + CHUNK_ROWS])


def _attempts() -> Retrying:
    return Retrying(
        retry=retry_if_exception(lost_a_race),
        stop=stop_after_attempt(ATTEMPTS),
        wait=wait_random_exponential(multiplier=0.05, max=2),
        sleep=current_run().sleep,
        before_sleep=_warn,
        reraise=True,
    )


def _warn(state: RetryCallState) -> None:
    logger.warning("chunk lost a race, attempt %d of %d: %s", state.attempt_number, ATTEMPTS, state.outcome)
