"""Feeds: read what is new in an ever-growing id column, and lose no row that commits late.

A transaction may take id 6, and commit after id 7 was read. So it is not enough to remember the highest id:

    1  2  3  4  5  .  7  8  .  10       a "." is an id without a row so far
                |  |        |  |
             mark  gap    gap  top

- A run first asks for the rows in the gaps, then for the rows above the top (10), page by page.
- The ids of a page are taken after the sink has confirmed them. What is not confirmed comes again in the next run.
- An id is settled once a read that began more than `lag` after it was first seen finds nothing new below it.
- The mark moves up to the highest settled id. The gaps below it are forgotten: those ids were rolled back.
- Time is the machine's boot clock, since nobody can set it. `position.py` holds the sums.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from pyroaring import BitMap64
from sqlalchemy import URL, ColumnClause, ColumnElement, Row, TextClause, and_, column, select, table, text

from janitor import databases, memory
from janitor.feeds.position import LOOK_BACK, Origin, Position
from janitor.runs import current_run
from janitor.state.clocks import boot_clock

RANGES_A_STATEMENT = 200
"""How many gaps one statement asks for."""


@dataclass(frozen=True)
class Feed:
    """An ever-growing id column of a table, and the other columns to read with it.

    `name` is the cursor's name. A row may commit up to `lag` after a higher id was first seen.
    """

    name: str
    url: URL
    table: str
    id_column: str
    columns: Sequence[ColumnClause[Any]]
    lag: timedelta
    page_rows: int = 5_000
    clock: Callable[[], float] = boot_clock

    def open(self) -> "Reading | None":
        """Go on at the cursor; None if the feed was never read."""
        saved = memory.cursor(self.name)
        return None if saved is None else Reading(self, Position.load(saved))

    def begin_at_end(self, *, snapshot: bool = False) -> "Reading":
        """Begin after the rows that are there now, and save the cursor.

        `snapshot` notes that somebody also walks the whole table, from its first key on.
        """
        end = self._end()
        position = Position(mark=max(0, end - LOOK_BACK))
        ids = [row[0] for row in self.rows(self._id() > position.mark, self._id() <= end)]
        position = position.take(ids, self.clock())
        origin = Origin(position.mark, BitMap64(position.taken))
        reading = Reading(self, replace(position, origin=origin, snapshot_after=0 if snapshot else None))
        reading.save()
        return reading

    def begin_at_start(self) -> "Reading":
        """Begin before the first row, and save the cursor."""
        reading = Reading(self, Position())
        reading.save()
        return reading

    def rows(self, *conditions: ColumnElement[bool] | TextClause, limit: int | None = None) -> Sequence[Row[Any]]:
        """The rows that meet all conditions, in the order of their ids; the id is the first column."""
        id_column = self._id()
        query = (
            select(id_column, *self.columns).select_from(table(self.table)).where(and_(*conditions)).order_by(id_column)
        )
        with databases.read(self.url) as connection:
            return connection.execute(query if limit is None else query.limit(limit)).all()

    def back_from(self, id: int | None, page_rows: int) -> Sequence[Row[Any]]:
        """Up to `page_rows` rows below an id (None: below the end), the highest id first."""
        id_column = self._id()
        query = select(id_column, *self.columns).select_from(table(self.table))
        query = query.order_by(id_column.desc()).limit(page_rows)
        with databases.read(self.url) as connection:
            return connection.execute(query if id is None else query.where(id_column < id)).all()

    def _id(self) -> ColumnElement[Any]:
        return column(self.id_column)

    def _end(self) -> int:
        newest = select(self._id()).select_from(table(self.table)).order_by(self._id().desc()).limit(1)
        with databases.read(self.url) as connection:
            return connection.execute(newest).scalar() or 0


@dataclass
class Page:
    """New rows of a feed, in the order of their ids."""

    reading: "Reading"
    rows: Sequence[Row[Any]]
    read_at: float

    def confirm(self, ids: Iterable[int] | None = None) -> None:
        """Take these ids, or all ids of the page, and save the cursor: call it after the sink has confirmed them."""
        done = [row[0] for row in self.rows] if ids is None else list(ids)
        if done:
            self.reading.position = self.reading.position.take(done, self.read_at)
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
            DeadlineExceeded, Cancelled, Fenced: the run is to end.
        """
        began_at = self.feed.clock()
        complete = True
        for late in self._late():
            current_run().check()
            yield late
            complete = complete and all(row[0] in self.position.taken for row in late.rows)
        settled = self.position.settle(began_at, self.feed.lag.total_seconds())
        if complete and settled is not self.position:
            self.position = settled
            self.save()
        while True:
            current_run().check()
            id_column = self.feed._id()
            rows = self.feed.rows(id_column > self.position.top, limit=self.feed.page_rows)
            if not rows:
                return
            top = self.position.top
            yield Page(self, rows, self.feed.clock())
            if len(rows) < self.feed.page_rows or self.position.top == top:
                return

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

    def _late(self) -> Iterator[Page]:
        id_column, gaps, taken = self.feed._id(), self.position.gaps(), self.position.taken
        name = databases.quoted(self.feed.id_column, databases.family(self.feed.url))
        for start in range(0, len(gaps), RANGES_A_STATEMENT):
            chunk = gaps[start : start + RANGES_A_STATEMENT]
            # As text: SQLAlchemy takes longer to make an expression of so many parts than the server to execute it.
            ranges = text(f"({' OR '.join(f'{name} BETWEEN {first} AND {last}' for first, last in chunk)})")
            after = chunk[0][0] - 1
            while True:
                rows = self.feed.rows(ranges, id_column > after, limit=self.feed.page_rows)
                news = [row for row in rows if row[0] not in taken]
                if news:
                    yield Page(self, news, self.feed.clock())
                if len(rows) < self.feed.page_rows:
                    break
                after = rows[-1][0]
