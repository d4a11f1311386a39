"""Feeds by time: read what is new in a table without a growing id, by a column of dates with times, and its key.

    ------ mark ----------------- now - lag ------------- now
             |    read again in each run: ids are taken     |

- A row is told by its time and its key. A row whose time changes is news again.
- A run asks the server for its time, and reads every row above the mark, page by page. What was taken is passed over.
- A row may commit up to `lag` after its own time. So the mark rises to the server's time less the lag, and the
  rows up to it are forgotten.
- The mark does not follow the rows' times: a row dated ahead would put it where others are still to come.

The price, compared with a feed by id: each run reads the rows of the last lag again; the column needs an index; and
the clocks that date the rows, and the server's, must agree within the lag. If an id grows, follow the id.
"""

import base64
import json
import logging
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any

from sqlalchemy import URL, ColumnClause, ColumnElement, Row, and_, column, or_, select, table, text, true

from janitor import databases, memory
from janitor.errors import Rejected
from janitor.feeds.position import MOST_PAGES, loaded
from janitor.runs import current_run

log = logging.getLogger(__name__)

LONGEST_FOLD_MINUTES = 180
"""No zone has ever set its clocks back by more than this."""

EARLIEST = datetime(1000, 1, 1)
"""No column of MySQL promises to hold an earlier time."""

Key = tuple[str, str]
"""A row's time, in the order of text, and its key."""


def server_now(url: URL) -> datetime:
    """The time of a server; of a SQLite file, the machine's."""
    with databases.read(url) as connection:
        said = str(connection.execute(text("SELECT CURRENT_TIMESTAMP")).scalar())
    return datetime.fromisoformat(said).replace(tzinfo=UTC)


@dataclass(frozen=True)
class TimePosition:
    """How far a feed by time is read: all up to `mark` is settled, and the rows `taken` above it are delivered.

    `mark` and `top` are times of the column, without a zone. `top` is the latest time that was read.
    """

    mark: datetime | None = None
    top: datetime | None = None
    taken: frozenset[Key] = frozenset()

    def take(self, keys: Iterable[Key]) -> "TimePosition":
        """The position after the rows with these keys were delivered."""
        return replace(self, taken=self.taken | frozenset(keys))

    def settle(self, mark: datetime, top: datetime | None) -> "TimePosition":
        """The position after all rows above the old mark were delivered; nothing up to `mark` commits any more."""
        if self.mark is not None and mark <= self.mark:
            return replace(self, top=top)
        text = mark.isoformat()
        return TimePosition(mark, top, frozenset(key for key in self.taken if key[0] > text))

    def dump(self) -> str:
        """The position as JSON, for `load`."""
        taken = zlib.compress(json.dumps(sorted(self.taken)).encode(), 1)
        times = {"mark": self.mark and self.mark.isoformat(), "top": self.top and self.top.isoformat()}
        return json.dumps({"by": "time", **times, "taken": base64.b64encode(taken).decode()})

    @classmethod
    def load(cls, text: str) -> "TimePosition":
        """A saved position.

        Raises:
            ValueError, LookupError, TypeError: it is that of a feed of another kind.
        """
        fields = json.loads(text)
        mark, top = (fields[name] and datetime.fromisoformat(fields[name]) for name in ("mark", "top"))
        taken = json.loads(zlib.decompress(base64.b64decode(fields["taken"])))
        return cls(mark, top, frozenset((time, key) for time, key in taken))


@dataclass(frozen=True)
class TimeFeed:
    """A table's column of dates with times, its key, and the other columns to read with them.

    `name` is the cursor's name. A row commits at most `lag` after its time, and the lag covers what the clocks differ.
    Times without a zone are of `zone`. Rows without a time are never read, nor are rows that do not meet `only`. The
    rows of the last `lag` are kept in the cursor.
    """

    name: str
    url: URL
    table: str
    time_column: str
    key_column: str
    columns: Sequence[ColumnClause[Any]]
    lag: timedelta
    page_rows: int = 5_000
    zone: tzinfo = UTC
    only: ColumnElement[bool] = field(default_factory=true)
    clock: Callable[[URL], datetime] = server_now

    def open(self) -> "TimeReading | None":
        """Go on at the cursor; None if the feed was never read.

        Raises:
            Rejected: the table ends before what was read, or the cursor is that of a feed of another kind.
        """
        saved = memory.cursor(self.name)
        if saved is None:
            return None
        position = loaded(TimePosition.load, saved, self.name)
        self.check(position)
        return TimeReading(self, position)

    def standing(self, saved: str | None) -> str:
        """How the table stands to a saved cursor, in words; None if the feed was never read.

        Raises:
            Rejected: the table ends before what was read, or the cursor is that of a feed of another kind.
        """
        position = TimePosition() if saved is None else loaded(TimePosition.load, saved, self.name)
        self.check(position)
        return "was not read yet" if saved is None else f"is where it was read, up to {position.top}"

    def check(self, position: TimePosition) -> None:
        """Make sure that the table does not end before what was read: more than the lag before, as clocks differ.

        Raises:
            Rejected: it does.
        """
        newest = self._newest()
        if position.top is not None and (newest is None or newest < position.top - self.lag):
            raise Rejected(
                f"{self.table} at {databases.place(self.url)} ends at {newest}, and was read up to {position.top} "
                "already: a backup was restored there, or it is a replica that lags. Nothing was taken. If it lags, a "
                f"later run goes on by itself. Else begin anew (`cursor {self.name} --set start`)"
            )

    def begin_at_end(self) -> "TimeReading":
        """Begin after the rows that are there now, and save the cursor."""
        now, newest = self.clock(self.url), self._newest()
        top = None if newest is None else min(newest, self.wall(now))
        reading = TimeReading(self, TimePosition(self.settled(now), top))
        for page in reading.pages():
            reading.position = reading.position.take(map(self.key_of, page.rows))
        reading.save()
        text = "%s has no cursor yet: it begins at the end of %s, at %s; what is there is not read"
        log.info(text, self.name, self.table, "no time" if top is None else top)
        return reading

    def begin_at_start(self) -> "TimeReading":
        """Begin before the first row; the cursor is saved when the first page is confirmed."""
        log.info(
            "%s has no cursor yet: it begins at the start of %s, and reads all that is there", self.name, self.table
        )
        return TimeReading(self, TimePosition())

    def settled(self, now: datetime) -> datetime:
        """The time of the column up to which no row commits any more, if the server's time is `now`.

        Where clocks are set back, a time comes twice: this is before the earliest that may still come.
        """
        begin = (now - self.lag).replace(second=0, microsecond=0)
        later = (begin + timedelta(minutes=minute) for minute in range(LONGEST_FOLD_MINUTES + 1))
        return min(map(self.wall, later)) - timedelta(microseconds=1)

    def wall(self, moment: datetime) -> datetime:
        """A moment as the column has it, without a zone."""
        return moment.astimezone(self.zone).replace(tzinfo=None)

    def time_of(self, value: object) -> datetime:
        """A value of the column as a time; SQLite keeps times as texts.

        Raises:
            Rejected: it is neither.
        """
        try:
            time = datetime.fromisoformat(value) if isinstance(value, str) else value
        except ValueError:
            time = None
        if not isinstance(time, datetime):
            where = f"{self.table}.{self.time_column} at {databases.place(self.url)}"
            raise Rejected(f"{where} holds {value!r}: a feed by time needs a column of dates with times")
        return time if time.tzinfo is None else self.wall(time)

    def key_of(self, row: Sequence[Any]) -> Key:
        """What tells a row from all others: its time, and its key as a text."""
        return self.time_of(row[0]).isoformat(), row[1].hex() if isinstance(row[1], bytes) else str(row[1])

    def rows(self, mark: datetime | None, last: Sequence[Any] | None) -> Sequence[Row[Any]]:
        """A page of rows above a time, after the row `last`, in the order of their times and keys."""
        times: ColumnClause[Any] = column(self.time_column)
        key: ColumnClause[Any] = column(self.key_column)
        conditions = [self.only, *self._dated(times)]
        if last is not None:
            # The first condition enters the index; the other alone would scan it.
            conditions += [times >= last[0], or_(times > last[0], and_(times == last[0], key > last[1]))]
        elif mark is not None:
            conditions.append(times > (mark.isoformat(" ") if databases.family(self.url) == "sqlite" else mark))
        query = select(times, key, *self.columns).select_from(table(self.table)).where(*conditions)
        with databases.read(self.url) as connection:
            return connection.execute(query.order_by(times, key).limit(self.page_rows)).all()

    def _dated(self, times: ColumnClause[Any]) -> tuple[ColumnElement[bool], ...]:
        """What a row with a time meets. MySQL's zero date, 0000-00-00, is no time."""
        dated = times.is_not(None)
        return (dated,) if databases.family(self.url) == "sqlite" else (dated, times >= EARLIEST)

    def _newest(self) -> datetime | None:
        times: ColumnClause[Any] = column(self.time_column)
        query = select(times).select_from(table(self.table)).where(*self._dated(times))
        query = query.order_by(times.desc()).limit(1)
        with databases.read(self.url) as connection:
            newest = connection.execute(query).scalar()
        return None if newest is None else self.time_of(newest)


@dataclass
class TimePage:
    """New rows of a feed by time, in the order of their times; time and key are the first columns."""

    reading: "TimeReading"
    rows: Sequence[Row[Any]]

    def confirm(self, rows: Iterable[Row[Any]] | None = None) -> None:
        """Take these rows, or all of the page, and save the cursor: call it after the sink has confirmed them."""
        if done := [self.reading.feed.key_of(row) for row in (self.rows if rows is None else rows)]:
            self.reading.position = self.reading.position.take(done)
            self.reading.save()


class TimeReading:
    """How one run reads a feed by time, from a position on."""

    def __init__(self, feed: TimeFeed, position: TimePosition) -> None:
        """Begin at a position."""
        self.feed, self.position, self._saved = feed, position, position

    def pages(self) -> Iterator[TimePage]:
        """Pages of new rows. Confirm each before you ask for the next. What is not confirmed comes again.

        Raises:
            Unavailable, Rejected, StatementTimeout: the feed's server is away, says no, or takes too long.
            Rejected: the column holds no dates with times.
            DeadlineExceeded, Cancelled, Fenced: the run is to end.
        """
        now, mark, complete = self.feed.clock(self.feed.url), self.position.mark, True
        settled = self.feed.settled(now)
        last: Sequence[Any] | None = None
        above = 0
        while rows := self.feed.rows(mark, last):
            current_run().check()
            before = self.position
            if news := self._news(rows):
                yield TimePage(self, news)
            complete = complete and not self._news(news)
            last = rows[-1]
            if complete:
                self._settle(now, settled, last[0])
            if len(rows) < self.feed.page_rows:
                break
            above += not complete and self.position is not before
            if above == MOST_PAGES:
                log.info("%s: a row is not confirmed, and its cursor is full: the next run reads on", self.feed.name)
                break
        if complete:
            self._settle(now, settled, None)
        # Without news nothing is written: the mark may stay while nothing is above it.
        if (self.position.taken, self.position.top) != (self._saved.taken, self._saved.top):
            self.save()

    def save(self) -> None:
        """Save the cursor.

        Raises:
            Fenced, Unavailable, Rejected: as `memory.save_cursor` does.
        """
        memory.save_cursor(self.feed.name, self.position.dump())
        self._saved = self.position

    def _news(self, rows: Sequence[Row[Any]]) -> list[Row[Any]]:
        """The rows that are not taken."""
        mark = "" if self.position.mark is None else self.position.mark.isoformat()
        keyed = ((self.feed.key_of(row), row) for row in rows)
        return [row for key, row in keyed if key[0] > mark and key not in self.position.taken]

    def _settle(self, now: datetime, settled: datetime, last: object | None) -> None:
        """Raise the mark; no further than before `last`, the time of a row, if more rows of that time may follow."""
        if last is None:
            self.position = self.position.settle(settled, self.position.top)
            return
        time = self.feed.time_of(last)
        # A row dated ahead is no end of the table, as it may be dated back.
        top = min(time, self.feed.wall(now))
        self.position = self.position.settle(min(settled, time - timedelta(microseconds=1)), top)
