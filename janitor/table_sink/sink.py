"""The table sink: write rows to a table, only what differs, in bulk.

    rows given
      |  fit?                       a row that does not fit is refused
      |  stored exactly so?         asked of the server by texts, without a lock: then it is unchanged
      v
    suspects                        few, in most runs; in one transaction:
      |  lock and read              the stored rows with their keys
      |  plan                       what becomes of each row: see plan.py
      v
    insert, update                  a chunk that loses a race is rolled back and tried again, carefully

Carefully: the server is asked which keys are the same to it, since a key that looked new was not.
"""

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from functools import cached_property
from typing import Any

from sqlalchemy import URL, Connection, TextClause

from janitor import databases
from janitor.databases.errors import lost_a_race
from janitor.errors import JanitorError, Rejected, RowRefused
from janitor.table_sink.chunks import CHUNK_ROWS, Chunk, attempts, chunks
from janitor.table_sink.column import Row
from janitor.table_sink.concerns import notes, wrongs
from janitor.table_sink.counts import Compared, Written
from janitor.table_sink.fitting import fit
from janitor.table_sink.layout import Layout
from janitor.table_sink.mysql import MySqlTable
from janitor.table_sink.plan import Plan, Rules
from janitor.table_sink.read_back import altered
from janitor.table_sink.refusals import Salvage
from janitor.table_sink.row_texts import TextPage, fetch
from janitor.table_sink.sqlite import SqliteTable
from janitor.table_sink.table import Table
from janitor.table_sink.target import Target, layout_of


@dataclass
class _Guess:
    """Whether all keys of the last chunk were new, so that the next chunk's may be new too."""

    all_new: bool = False


@dataclass(frozen=True)
class TableSink:
    """A table that receives rows. Its columns' limits are read from it once, at the first use.

    `columns` name the values of a row. `key` is the column, or the columns, by which a row is found: a unique index has
    them, and `columns` too. Names may be given in any case, as to the servers. `owner` gives columns that have the same
    values in every row; rows with other values there are never touched. If a column `newer` is named, a row never
    replaces a row that is newer by it. Of rows whose keys are written differently, and are the same to the table, the
    newest by the column `twins_by` is kept; None means `newer`. `constants` give columns that are the same in every row
    that is written. If `created_at` and `updated_at` are named, these columns receive the moment at which a row was
    added or changed, in UTC. Several threads may use one sink.
    """

    url: URL
    table: str
    key: str | tuple[str, ...]
    columns: tuple[str, ...]
    owner: Mapping[str, Any] = field(default_factory=dict)
    newer: str | None = None
    created_at: str | None = None
    updated_at: str | None = None
    constants: Mapping[str, Any] = field(default_factory=dict)
    twins_by: str | None = None
    _guess: _Guess = field(default_factory=_Guess, init=False, repr=False, compare=False)

    def write(self, rows: Sequence[Row], now: datetime, *, mostly_new: bool = False) -> Written:
        """Make the target hold these rows. Only what differs is written, in one transaction for each 2,000 rows.

        A row is refused if it does not fit, if the server refuses it for what it holds (a CHECK, a trigger, a foreign
        key), if something changes it as it is written, or if its key has a row of another owner. The other rows are
        written. Rows may swap unique values. Of
        rows whose keys are the same to the table, the newest is written and the others are refused. Of equally new
        rows the stored row stays, else the last is written. Calling it again is harmless, and writes nothing.

        `mostly_new` is for filling a table: if no key of a chunk was stored, the next chunk is inserted without asking.
        A wrong guess is made good, but uses up AUTO_INCREMENT values.

        Raises:
            Unavailable, Rejected: the server's reason, if it is not that of a row. The chunks before are written,
                nothing of the current chunk is.
            DeadlineExceeded, Cancelled: the run is to end. The chunks before are written.
        """
        written, misfits, again = Written(), Written(), list[Row]()
        for rows_of_chunk in chunks(rows):
            fitting, refused = fit(rows_of_chunk, self.layout, {**self.constants, **self.owner})
            done = self._write(fitting, now, mostly_new)
            written, misfits = written + done, misfits + Written(refused=tuple(refused))
            if done.refused:
                keys = {one.key for one in done.refused}
                again += [row for row in fitting if self.layout.key_of(row) in keys]
        if 0 < len(again) <= CHUNK_ROWS < len(rows):
            # A unique value may have been free only after a later chunk: rows of two chunks swap theirs, for example.
            written = replace(written, refused=()) + self._write(again, now, mostly_new=False)
        return written + misfits

    def compare(self, rows: Sequence[Row]) -> Compared:
        """What `write` would do with these rows now; nothing is written, and nothing is locked.

        Raises:
            Unavailable, Rejected, DeadlineExceeded, Cancelled: as `write` does.
        """
        compared = Compared()
        for rows_of_chunk in chunks(rows):
            fitting, refused = fit(rows_of_chunk, self.layout, {**self.constants, **self.owner})
            chunk, plan = self._chunk(fitting), Plan()
            if chunk.suspects:
                with databases.read(self.url) as connection:
                    plan = self._plan(connection, chunk, lock=False)
            unchanged = plan.unchanged + len(fitting) - len(chunk.suspects)
            compared += Compared(len(plan.missing), len(plan.changed), unchanged, plan.older, (*refused, *plan.refused))
        return compared

    def wanted(self, source: URL, query: TextClause, parameters: Mapping[str, Any], id_name: str) -> TextPage:
        """The rows of a query on another database as texts, to be paired with those of `stored`: see row_texts.py.

        The query names its columns as this sink does, and has a whole number `id_name`, which tells rows without text.

        Raises:
            Unavailable, Rejected, DeadlineExceeded, Cancelled: as `write` does.
        """
        return fetch(source, query, parameters, id_name, self.layout.own, tuple(self.constants.values()))

    def stored(self, page_rows: int = 5000) -> Iterator[TextPage]:
        """All of the owner's rows as texts, page by page.

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
        """The keys of the rows that a page has as texts."""
        return list(map(self.layout.key_in, page.texts))

    def delete(self, keys: Sequence[Any]) -> int:
        """Delete the owner's rows with these keys, in one transaction for each 2,000 keys; how many were deleted.

        Raises:
            Unavailable, Rejected, DeadlineExceeded, Cancelled: as `write` does.
        """
        deleted = 0
        for chunk in chunks(keys):
            count = 0
            for attempt in attempts():
                with attempt, databases.begin(self.url) as connection:
                    count = self._statements.delete(connection, chunk, self.owner)
            deleted += count
        return deleted

    def check(self) -> Sequence[str]:
        """Make sure that the target has the table, the columns and the unique key that this sink needs.

        Returns:
            What may refuse or change some rows there, in sentences.

        Raises:
            Unavailable, Rejected: what is missing, or what refuses every row, in one sentence.
        """
        self.__dict__.pop("layout", None)
        layout = self.layout
        where = f"{layout.table} at {databases.place(self.url)}"
        written = [column.name for column in (*layout.columns, layout.created, layout.updated) if column]
        with databases.read(self.url) as connection:
            for wrong in wrongs(connection, layout, written):
                raise Rejected(f"{where}: {wrong}")
            return [f"{where}: {note}" for note in notes(connection, layout)]

    @cached_property
    def layout(self) -> Layout:
        """The target's layout, read from it at the first use.

        Raises:
            Unavailable, Rejected: as `check` does.
        """
        return layout_of(
            Target(
                url=self.url,
                table=self.table,
                key=(self.key,) if isinstance(self.key, str) else tuple(self.key),
                columns=tuple(self.columns),
                constants=self.constants,
                owner=self.owner,
                newer=self.newer,
                twins_by=self.twins_by,
                created_at=self.created_at,
                updated_at=self.updated_at,
            )
        )

    @cached_property
    def _statements(self) -> Table:
        return (SqliteTable if databases.family(self.url) == "sqlite" else MySqlTable)(self.layout)

    @cached_property
    def _rules(self) -> Rules:
        columns = {column.name.lower(): column for column in self.layout.columns}
        newer, twins_by = (columns.get((name or "").lower()) for name in (self.newer, self.twins_by or self.newer))
        return Rules(self.layout, newer, twins_by)

    def _write(self, fitting: list[Row], now: datetime, mostly_new: bool) -> Written:
        """Write one chunk of rows that fit."""
        plan = self._inserted(fitting, now) if mostly_new and self._guess.all_new else None
        chunk = self._chunk(fitting) if plan is None else Chunk(fitting, fitting, 0)
        if plan is None:
            plan = self._carry_out(chunk, now) if chunk.suspects else Plan()
        self._guess.all_new = bool(fitting) and len(plan.missing) == len(fitting)
        unchanged = plan.unchanged + len(fitting) - len(chunk.suspects)
        return Written(len(plan.missing), len(plan.changed), unchanged, plan.older, tuple(plan.refused))

    def _chunk(self, fitting: list[Row]) -> Chunk:
        if not fitting:
            return Chunk([], [], 0)
        with databases.read(self.url) as connection:
            return Chunk(fitting, *self._statements.suspects(connection, fitting))

    def _inserted(self, fitting: list[Row], now: datetime) -> Plan | None:
        """Insert rows, guessing that all keys are new; None, and nothing is written, if a row is refused."""
        plan = self._rules.plan(fitting, list(map(self.layout.key_of, fitting)), {}, set())
        try:
            with databases.begin(self.url) as connection:
                self._statements.insert(connection, plan.missing, _moment(now))
        except JanitorError as exc:
            if isinstance(exc, RowRefused) or lost_a_race(exc):
                return None
            raise
        return plan

    def _carry_out(self, chunk: Chunk, now: datetime) -> Plan:
        plan, moment = Plan(), _moment(now)
        try:
            for attempt in attempts():
                with attempt, databases.begin(self.url) as connection:
                    again = attempt.retry_state.attempt_number > 1
                    plan = self._plan(connection, chunk, lock=True, careful=again)
                    plan = self._written(connection, plan, moment)
        except RowRefused:
            return self._without_refused(chunk, moment)
        return plan

    def _written(self, connection: Connection, plan: Plan, moment: datetime) -> Plan:
        """Carry out a plan; rows that something changed as they were written are refused."""
        if plan.missing:
            self._statements.insert(connection, plan.missing, moment)
        if plan.changed:
            self._statements.update(connection, plan.changed, moment)
        changed = altered(self._statements, connection, self.layout, plan)
        if any(one.in_vain for one in changed):
            raise RowRefused("what was written did not stay")
        return plan.without([one.refused for one in changed], self.layout.key_of)

    def _without_refused(self, chunk: Chunk, moment: datetime) -> Plan:
        """Carry out a chunk of which the server refused some row: write all other rows."""
        plan = Plan()
        for attempt in attempts():
            with attempt, databases.begin(self.url) as connection:
                plan = self._plan(connection, chunk, lock=True, careful=True)
                plan = Salvage(self._statements, self.layout, connection, moment).write(plan)
        return plan

    def _plan(self, connection: Connection, chunk: Chunk, *, lock: bool, careful: bool = False) -> Plan:
        """The plan for the suspects; `careful` after a key that looked new was not."""
        key_of = self.layout.key_of
        keys = list(map(key_of, chunk.suspects))
        stored: dict[Any, Row] = {}
        if chunk.found or careful:
            stored = {key_of(row): row for row in self._statements.stored(connection, keys, lock)}
        homes: list[Hashable] = list(keys)
        if careful or not stored.keys() <= set(keys):
            # Different texts are the same key to the collation, and only the server knows which.
            found = self._statements.homes(connection, keys)
            homes = [(group,) if home is None else home for group, home in found]
        return self._rules.plan(chunk.suspects, homes, stored, chunk.settled)


def _moment(now: datetime) -> datetime:
    return now if now.tzinfo is None else now.astimezone(timezone.utc).replace(tzinfo=None)
