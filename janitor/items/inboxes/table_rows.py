"""The rows of a table that an inbox reads: found by their status, claimed, and given their final status.

find      SELECT the ids of rows that are ready, in their order: a plain read that locks nothing
claim     UPDATE ... WHERE id AND status is ready: of two who found a row, the server lets one change it
read      in the same transaction, so that what is launched is what the row says when it is claimed
end       UPDATE ... WHERE id AND status is started: a status that somebody gave meanwhile stays
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import URL, ColumnClause, Connection, TableClause, column, select, table, update

from janitor import databases
from janitor.databases.errors import lost_a_race
from janitor.errors import JanitorError, Rejected
from janitor.items.inboxes.plain import plain
from janitor.runs import current_run

PAGE = 500
Status = str | int
Id = str | int


@dataclass(frozen=True)
class Layout:
    """A table in the database of a setting: its columns, and the four statuses of its rows."""

    setting: str
    table: str
    id_column: str
    status_column: str
    columns: Sequence[str]
    ready: Status
    started: Status
    success: Status
    failure: Status


class Contended(Exception):
    """Raised to take a claim back of which another process has had a part."""


@dataclass(frozen=True)
class Claimed:
    """A row: its id, and its columns as plain JSON."""

    id: Id
    values: Mapping[str, Any]


class Rows:
    """The rows of a table at a database."""

    def __init__(self, url: URL, layout: Layout) -> None:
        """Nothing is opened before the first look."""
        self._url, self._layout = url, layout
        self._names = tuple(dict.fromkeys((layout.id_column, *layout.columns)))
        self._id: ColumnClause[Any] = column(layout.id_column)
        self._status: ColumnClause[Any] = column(layout.status_column)
        own = {layout.id_column: self._id, layout.status_column: self._status}
        self._columns: list[ColumnClause[Any]] = [own.get(one, column(one)) for one in self._names]
        every = {one.name: one for one in (*self._columns, self._status)}
        self._table: TableClause = table(layout.table, *every.values())

    def claim(self, most: int) -> list[Claimed]:
        """Claim rows that are ready, those with the smallest ids first; they are this caller's when it returns.

        Raises:
            Unavailable, Rejected: the database is away, or says no; no row is claimed.
            DeadlineExceeded, Cancelled: as the run's `check` does; no row is claimed.
        """
        query = select(self._id).where(self._status == self._layout.ready).order_by(self._id).limit(most)
        with databases.read(self._url) as connection:
            ids = list(connection.execute(query).scalars())
        if not ids:
            return []
        try:
            return self._claimed(ids)
        except Contended:
            return self._claimed(ids, singly=True)
        except JanitorError as exc:
            if lost_a_race(exc):
                return []  # whoever won has the rows; the next round looks again
            raise

    def _claimed(self, ids: Sequence[Id], singly: bool = False) -> list[Claimed]:
        with databases.begin(self._url) as connection:
            if singly:
                ids = [one for one in ids if self._take(connection, [one]) == 1]
            elif self._take(connection, ids) != len(ids):
                raise Contended
            query = select(*self._columns).where(self._id.in_(ids)).order_by(self._id)
            found = [self._row(row) for row in connection.execute(query)] if ids else []
            current_run().check()  # a run that has lost its leases claims nothing
        return found

    def _take(self, connection: Connection, ids: Sequence[Id]) -> int:
        own = (self._id.in_(ids)) & (self._status == self._layout.ready)
        return connection.execute(update(self._table).where(own).values({self._status: self._layout.started})).rowcount

    def started(self) -> Iterator[list[Claimed]]:
        """All rows that are started, in pages, in the order of their ids."""
        query = select(*self._columns).where(self._status == self._layout.started).order_by(self._id).limit(PAGE)
        after: Id | None = None
        while True:
            page = query if after is None else query.where(self._id > after)
            with databases.read(self._url) as connection:
                rows = connection.execute(page).all()
            if rows:
                yield [self._row(row) for row in rows]
            if len(rows) < PAGE:
                return
            after = rows[-1]._mapping[self._id.name]

    def still_started(self, ids: Sequence[Id]) -> frozenset[Id]:
        """Those of some rows that are started now."""
        query = select(self._id).where(self._id.in_(ids), self._status == self._layout.started)
        with databases.read(self._url) as connection:
            return frozenset(connection.execute(query).scalars())

    def end(self, ids: Sequence[Id], status: Status) -> int:
        """Give rows that are started their final status; how many. Doing it twice is harmless.

        Raises:
            Unavailable, Rejected: the database is away, or says no.
        """
        own = (self._id.in_(ids)) & (self._status == self._layout.started)
        with databases.begin(self._url) as connection:
            return connection.execute(update(self._table).where(own).values({self._status: status})).rowcount

    def _row(self, row: Any) -> Claimed:
        found = row._mapping
        own = found[self._id.name]
        if type(own) not in (int, str):
            where = f"{self._layout.table} at {databases.place(self._url)}"
            raise Rejected(f"{self._id.name} of {where} holds {type(own).__name__}: give a column of numbers or texts")
        return Claimed(own, {name: plain(found[name]) for name in self._names})
