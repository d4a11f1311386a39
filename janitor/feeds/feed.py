"""Feeds: read what is new in an ever-growing id column, and lose no row that commits late.

A transaction may take id 6, and commit after id 7 was read. So it is not enough to remember the highest id:

    1  2  3  4  5  .  7  8  .  10       a "." is an id without a row so far
                |  |        |  |
             mark  gap    gap  top

- A run first asks for the rows in the gaps, then for the rows above the top (10), page by page.
- The ids of a page are taken after the sink has confirmed them. What is not confirmed comes again in the next run.
- An id is settled once a read that began more than `lag` after it was first seen finds nothing new below it.
- The mark moves up to the highest settled id. The gaps below it are forgotten: those ids were rolled back.
- A table that ends below the top has gone backwards: nothing is read, and the error says so. See `witnesses.py`.
- Time is the machine's boot clock, since nobody can set it. `position.py` holds the sums.
"""

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from itertools import islice
from typing import Any

from sqlalchemy import (
    URL,
    ColumnClause,
    ColumnElement,
    Row,
    TextClause,
    UnaryExpression,
    and_,
    column,
    select,
    table,
    text,
    true,
)

from janitor import databases, memory
from janitor.errors import Rejected
from janitor.feeds import witnesses
from janitor.feeds.ids import LOWEST
from janitor.feeds.position import LOOK_BACK, MOST_PAGES, MOST_RANGES, Origin, Position, loaded
from janitor.runs import current_run
from janitor.state.clocks import boot_clock

log = logging.getLogger(__name__)

RANGES_A_STATEMENT = 200
"""How many gaps one statement asks for."""


@dataclass(frozen=True)
class Feed:
    """An ever-growing id column of a table, and the other columns to read with it.

    `name` is the cursor's name. A row may commit up to `lag` after a higher id was first seen. `fixed` are the names of
    those columns that never change in a row: by them the feed notices that an id was given to another row. Rows that do
    not meet `only` are passed over for good: it should name columns that never change. They are read all the same, so
    that the cursor moves over them.
    """

    name: str
    url: URL
    table: str
    id_column: str
    columns: Sequence[ColumnClause[Any]]
    lag: timedelta
    page_rows: int = 5_000
    clock: Callable[[], float] = boot_clock
    fixed: Sequence[str] = ()
    only: ColumnElement[bool] | None = None

    def open(self) -> "Reading | None":
        """Go on at the cursor; None if the feed was never read.

        Raises:
            Rejected: the table ends below what was read, or has given an id to another row; or the cursor is that of
                a feed of another kind.
        """
        saved = memory.cursor(self.name)
        if saved is None:
            return None
        position = loaded(partial(Position.load, clock=self.clock), saved, self.name)
        self.check(position)
        return Reading(self, position)

    def standing(self, saved: str | None) -> str:
        """How the table stands to a saved cursor, in words; None if the feed was never read.

        Raises:
            Rejected: the table ends below what was read, or has given an id to another row; or the cursor is that of
                a feed of another kind.
        """
        if saved is None:
            self._ids(self._id().desc(), 1)
            return "was not read yet"
        position = loaded(Position.load, saved, self.name)
        self.check(position)
        return f"is where it was read, up to id {position.top}"

    def check(self, position: Position) -> None:
        """Make sure that the table has not gone backwards since it was read up to a position.

        Raises:
            Rejected: the table ends below what was read, or has given an id to another row.
        """
        where = f"{self.table} at {databases.place(self.url)}"
        witnesses.check_end(position, next(iter(self._ids(self._id().desc(), 1)), None), where, self.name)
        if position.witnesses and self.fixed:
            rows = self.rows(self._id().in_([witness.id for witness in position.witnesses]))
            witnesses.check_witnesses(position, witnesses.of_rows(rows, self.fixed), where, self.name)

    def begin_at_end(self, *, snapshot: bool = False) -> "Reading":
        """Begin after the rows that are there now, and save the cursor.

        `snapshot` notes that somebody also walks the whole table, from its first key on.
        """
        newest = self._ids(self._id().desc(), LOOK_BACK)
        mark = newest[-1] - 1 if len(newest) == LOOK_BACK else self._before_all()
        position = Position(mark=mark).take(newest, self.clock(), self.lag.total_seconds())
        last = self.rows(self._id().in_(newest[: witnesses.MOST_WITNESSES])) if self.fixed and newest else ()
        position = replace(
            position,
            origin=Origin(mark, position.taken),
            snapshot_after=0 if snapshot else None,
            witnesses=tuple(witnesses.of_rows(last, self.fixed)),
        )
        reading = Reading(self, position)
        reading.save()
        end = f"after id {position.top}" if newest else "which is empty"
        beside = "; all rows are read beside that, from the first key on" if snapshot else "; what is there is not read"
        log.info("%s has no cursor yet: it begins at the end of %s, %s%s", self.name, self.table, end, beside)
        return reading

    def begin_at_start(self) -> "Reading":
        """Begin before the first row, and save the cursor."""
        mark = self._before_all()
        reading = Reading(self, Position(mark=mark, origin=Origin(mark)))
        reading.save()
        log.info(
            "%s has no cursor yet: it begins at the start of %s, and reads all that is there", self.name, self.table
        )
        return reading

    def rows(self, *conditions: ColumnElement[bool] | TextClause, limit: int | None = None) -> Sequence[Row[Any]]:
        """The rows that meet all conditions, in the order of their ids; the id is the first column.

        With `only`, the last column tells whether a row meets it.
        """
        id_column = self._id()
        columns = [id_column, *self.columns, *(() if self.only is None else (self.only.label("is_wanted"),))]
        query = select(*columns).select_from(table(self.table)).where(and_(*conditions)).order_by(id_column)
        query = query if limit is None else query.limit(limit)
        # A text with ids in it never comes again: in SQLAlchemy's cache of statements it would only take memory.
        is_new = any(isinstance(condition, TextClause) for condition in conditions)
        with databases.read(self.url) as connection:
            found = connection.execute(query, execution_options={"compiled_cache": None} if is_new else {}).all()
        self._check_ids(row[0] for row in found[-1:])
        return found

    def back_from(self, id: int | None, page_rows: int) -> Sequence[Row[Any]]:
        """Up to `page_rows` rows below an id (None: below the end), the highest id first."""
        id_column = self._id()
        query = select(id_column, *self.columns).select_from(table(self.table))
        query = query.order_by(id_column.desc()).limit(page_rows)
        with databases.read(self.url) as connection:
            return connection.execute(query if id is None else query.where(id_column < id)).all()

    def _id(self) -> ColumnElement[Any]:
        return column(self.id_column)

    def _above(self, id: int) -> ColumnElement[bool]:
        return self._id() > id if id >= LOWEST else true()

    def _before_all(self) -> int:
        """A number below every id; ids mostly begin at 1."""
        lowest = self._ids(self._id().asc(), 1)
        return min([0, *(id - 1 for id in lowest)])

    def _ids(self, order: UnaryExpression[Any], limit: int, *conditions: ColumnElement[bool]) -> list[int]:
        query = select(self._id()).select_from(table(self.table)).where(*conditions).order_by(order).limit(limit)
        with databases.read(self.url) as connection:
            found = list(connection.execute(query).scalars())
        self._check_ids(found[-1:])
        return found

    def _check_ids(self, ids: Iterable[Any]) -> None:
        for id in ids:
            if not isinstance(id, int):
                where = f"{self.table}.{self.id_column} at {databases.place(self.url)}"
                raise Rejected(f"{where} holds {id!r}: a feed needs a column of whole numbers, of 64 bits at most")


@dataclass
class Page:
    """New rows of a feed, in the order of their ids; `passed` are the ids between them that nobody wants."""

    reading: "Reading"
    rows: Sequence[Row[Any]]
    read_at: float
    passed: Sequence[int] = ()

    def confirm(self, ids: Iterable[int] | None = None) -> None:
        """Take these ids, or all ids of the page, and save the cursor: call it after the sink has confirmed them."""
        done = [row[0] for row in self.rows] if ids is None else list(ids)
        if done := [*done, *self.passed]:
            self.reading.take(done, self.read_at)
            self.reading.witness(self.rows)
            self.reading.save()


class Reading:
    """How one run reads a feed, from a position on."""

    def __init__(self, feed: Feed, position: Position) -> None:
        """Begin at a position."""
        self.feed, self.position = feed, position

    def pages(self) -> Iterator[Page]:
        """Pages of new rows: first those that committed late, then those above the top.

        Confirm each page before you ask for the next. Rows that are not confirmed come again in the next run.

        Raises:
            Unavailable, Rejected, StatementTimeout: the feed's server is away, says no, or takes too long.
            Rejected: the ids are no whole numbers; or the table went backwards, before the page was read or meanwhile.
            DeadlineExceeded, Cancelled, Fenced: the run is to end.
        """
        began_at = self.feed.clock()
        complete = True
        for found in self._late():
            current_run().check()
            late = self._page(found)
            yield from self._wanted(late)
            complete = complete and all(row[0] in self.position.taken for row in late.rows)
        settled = self.position.settle(began_at, self.feed.lag.total_seconds())
        if complete and settled is not self.position:
            self.position = settled
            self.save()
        if complete:
            self._bound()
        above = 0
        while above < MOST_PAGES or not self.position.taken.is_large:
            current_run().check()
            top = self.position.top
            rows = self.feed.rows(self.feed._above(top), limit=self.feed.page_rows)
            if not rows:
                return
            page = self._page(rows)
            yield from self._wanted(page)
            complete = complete and all(row[0] in self.position.taken for row in page.rows)
            if complete:
                self._bound()
            if len(rows) < self.feed.page_rows or self.position.top == top:
                return
            above += not complete
        log.info("%s: a row is not confirmed, and its cursor is full: the next run reads on", self.feed.name)

    def _page(self, rows: Sequence[Row[Any]]) -> Page:
        """A page of the rows that are wanted; it passes over the others."""
        read_at = self.feed.clock()
        # Now that they are read: the table may have gone backwards since it was opened.
        self.feed.check(self.position)
        if self.feed.only is None:
            return Page(self, rows, read_at)
        wanted = [row for row in rows if row.is_wanted]
        return Page(self, wanted, read_at, [row[0] for row in rows if not row.is_wanted])

    @staticmethod
    def _wanted(page: Page) -> Iterator[Page]:
        """The page, if it has rows; else it is confirmed, as nobody can confirm it."""
        if page.rows:
            yield page
        else:
            page.confirm()

    def take(self, ids: Iterable[int], read_at: float) -> None:
        """Take these ids, read by a moment on the boot clock; the cursor is not saved yet."""
        self.position = self.position.take(ids, read_at, self.feed.lag.total_seconds())

    def _bound(self) -> None:
        """Keep the cursor small, if it has too many ids; all rows up to here are confirmed."""
        bounded = self.position.bounded()
        if bounded is not self.position:
            self.position = bounded
            self.save()
            log.info("%s: its cursor has too many ids: all up to %d is settled now", self.feed.name, bounded.mark)

    def witness(self, rows: Sequence[Row[Any]]) -> None:
        """Keep the highest of these rows as witnesses, if they are taken; the cursor is not saved yet."""
        last = (row for row in reversed(rows) if row[0] in self.position.taken)
        made = witnesses.of_rows(islice(last, witnesses.MOST_WITNESSES), self.feed.fixed)
        kept = witnesses.newest((*self.position.witnesses, *made))
        self.position = replace(self.position, witnesses=kept)

    def save(self) -> None:
        """Save the cursor.

        Raises:
            Fenced, Unavailable, Rejected: as `memory.save_cursor` does.
        """
        memory.save_cursor(self.feed.name, self.position.dump())

    def save_snapshot(self, after: int | None) -> None:
        """Save that a snapshot has read up to the key `after`, or that it is complete (None)."""
        self.position = replace(self.position, snapshot_after=after)
        self.save()

    def _late(self) -> Iterator[Sequence[Row[Any]]]:
        """The rows that are in gaps now: few gaps are asked for singly, the rest of them as one stretch."""
        gaps = self.position.gaps()
        for start in range(0, min(len(gaps), MOST_RANGES), RANGES_A_STATEMENT):
            yield from self._in_ranges(gaps[start : min(start + RANGES_A_STATEMENT, MOST_RANGES)])
        for first, last in gaps[MOST_RANGES:]:
            yield from self._in_stretch(first, last)

    def _in_ranges(self, ranges: Sequence[tuple[int, int]]) -> Iterator[Sequence[Row[Any]]]:
        name = databases.quoted(self.feed.id_column, databases.family(self.feed.url))
        # As text: SQLAlchemy takes longer to make an expression of so many parts than the server to execute it.
        wanted = text(f"({' OR '.join(f'{name} BETWEEN {first} AND {last}' for first, last in ranges)})")
        after = ranges[0][0] - 1
        while rows := self.feed.rows(wanted, self.feed._above(after), limit=self.feed.page_rows):
            yield rows
            if len(rows) < self.feed.page_rows:
                return
            after = rows[-1][0]

    def _in_stretch(self, first: int, last: int) -> Iterator[Sequence[Row[Any]]]:
        """The rows of a stretch in which many ids are taken: all its ids are read, and then the rows that are new."""
        id_column, after = self.feed._id(), first - 1
        while ids := self.feed._ids(id_column.asc(), self.feed.page_rows, self.feed._above(after), id_column <= last):
            if news := [id for id in ids if id not in self.position.taken]:
                yield self.feed.rows(id_column.in_(news))
            if len(ids) < self.feed.page_rows:
                return
            after = ids[-1]
