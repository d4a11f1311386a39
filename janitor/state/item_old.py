"""What is old of items is deleted little by little, by walks as those through old runs.

    items        that ended longer ago than their pipeline keeps them; those with errors stay longer
    replies      that were sent, or given up, a year ago
    letters      that came a year ago
    snapshots    a minute's for a day, an hour's for a month, a day's for a year

What goes, counts no more.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, select

from janitor.state import item_acts, item_counts, item_letters
from janitor.state.item_changes import lock
from janitor.state.item_counts import OF_REPLIES, Changes
from janitor.state.item_plans import Plan
from janitor.state.item_ranges import behind
from janitor.state.item_replies import GIVEN_UP, NAMES, SENT
from janitor.state.item_states import DONE, FAILED
from janitor.state.item_tables import item_letters as letters
from janitor.state.item_tables import item_replies, item_snapshots, items
from janitor.state.retention import Walk
from janitor.state.seeks import along

TOGETHER = 500
"""One statement names so many ids: a server may look for each of a thousand in the whole table."""
YEAR, MONTH, DAY, HOUR = timedelta(days=365), timedelta(days=30), timedelta(days=1), timedelta(hours=1)
Place = tuple[datetime, int]
"""Where an old item stands: when it ended, and its id."""
EPOCH = datetime.fromisoformat("1970-01-01T00:00:00+00:00")


def old(connection: Connection, pipeline: str, before: datetime, failed_before: datetime, most: int) -> list[int]:
    """Items that ended before a moment, or that failed before another: the ids of up to `most`, the oldest first."""
    found = of_state(connection, pipeline, DONE, before, most)
    if len(found) < most:
        found += of_state(connection, pipeline, FAILED, failed_before, most - len(found))
    return [item_id for _, item_id in found]


def of_state(
    connection: Connection, pipeline: str, state: int, before: datetime, most: int, after: Place | None = None
) -> list[Place]:
    """Where up to `most` items stand that came to a state before a moment, the oldest first, from a place on."""
    query = along("items_by_state", items, select(items.c.ended_at, items.c.id))
    query = query.where(items.c.pipeline == pipeline, items.c.state == state, items.c.ended_at < before)
    order = (items.c.ended_at, items.c.id)
    if after is not None:
        query = query.where(behind(connection, order, after, newest_first=False))
    return [(row.ended_at, row.id) for row in connection.execute(query.order_by(*order).limit(most))]


def still_old(connection: Connection, ids: Sequence[int], before: datetime, failed_before: datetime) -> list[int]:
    """Those of some items that are old as they are now; nobody changes them until the transaction ends."""
    bounds = {DONE: before, FAILED: failed_before}
    rows = lock(connection, sorted(ids)).values()
    return [row.id for row in rows if row.state in bounds and row.ended_at and row.ended_at < bounds[row.state]]


def drop(connection: Connection, plan: Plan, ids: Sequence[int], before: datetime, failed_before: datetime) -> int:
    """Delete those of some items that are old as they are now; how many. Others may have been asked for meanwhile."""
    return item_acts.drop(connection, plan, still_old(connection, ids, before, failed_before))


@dataclass(frozen=True)
class OldItems:
    """The old items of a pipeline; `before` and `failed_before` are as for `old`. No cleanup is called."""

    plan: Plan
    before: datetime
    failed_before: datetime

    def step(self, connection: Connection, most: int) -> int | None:
        """As `retention.Walk` says."""
        ids = old(connection, self.plan.pipeline, self.before, self.failed_before, min(most, TOGETHER))
        drop(connection, self.plan, ids, self.before, self.failed_before)
        return len(ids) or None


@dataclass(frozen=True)
class OldReplies:
    """The replies with a state that ended before a moment."""

    state: int
    before: datetime

    def step(self, connection: Connection, most: int) -> int | None:
        """As `retention.Walk` says."""
        query = along("item_replies_by_age", item_replies, select(item_replies.c.id, item_replies.c.pipeline))
        query = query.where(item_replies.c.state == self.state, item_replies.c.ended_at < self.before)
        rows = connection.execute(query.order_by(item_replies.c.ended_at).limit(min(most, TOGETHER))).all()
        connection.execute(delete(item_replies).where(item_replies.c.id.in_([row.id for row in rows])))
        for pipeline, number in Counter(row.pipeline for row in rows).items():
            changes = Changes(pipeline)
            changes.add(OF_REPLIES, self.state, NAMES[self.state], -number)
            changes.write(connection)
        return len(rows) or None


@dataclass(frozen=True)
class OldLetters:
    """The dead letters that came before a moment, dropped or not."""

    before: datetime

    def step(self, connection: Connection, most: int) -> int | None:
        """As `retention.Walk` says."""
        query = along("item_letters_by_age", letters, select(letters.c.id, letters.c.pipeline, letters.c.dropped_at))
        query = query.where(letters.c.at < self.before).order_by(letters.c.at).limit(min(most, TOGETHER))
        rows = connection.execute(query).all()
        connection.execute(delete(letters).where(letters.c.id.in_([row.id for row in rows])))
        item_letters.count(connection, Counter(row.pipeline for row in rows if row.dropped_at is None), -1)
        return len(rows) or None


class Snapshots:
    """The snapshots that are too many: of each hour, and later of each day, the first stays for as long as any does."""

    def __init__(self, now: datetime) -> None:
        """Nothing is read yet."""
        self._now, self._pipeline = now, ""
        self._after: datetime | None = None
        self._kept: tuple[timedelta, int] | None = None

    def step(self, connection: Connection, most: int) -> int | None:
        """As `retention.Walk` says."""
        if self._after is None and not self._next_pipeline(connection):
            return None
        moments = self._page(connection, most)
        gone = [moment for moment in moments if not self._stays(moment)]
        for at in range(0, len(gone), TOGETHER):
            item_counts.drop_snapshots(connection, self._pipeline, gone[at : at + TOGETHER])
        self._after = moments[-1] if len(moments) == most else None
        return len(gone)

    def _next_pipeline(self, connection: Connection) -> bool:
        # From one to the next along the index: a list of all would read all snapshots.
        query = select(item_snapshots.c.pipeline).where(item_snapshots.c.pipeline > self._pipeline)
        found = connection.execute(query.order_by(item_snapshots.c.pipeline).limit(1)).scalar_one_or_none()
        self._pipeline, self._after, self._kept = found or self._pipeline, EPOCH, None
        return found is not None

    def _page(self, connection: Connection, most: int) -> Sequence[datetime]:
        query = select(item_snapshots.c.at).where(item_snapshots.c.pipeline == self._pipeline)
        query = query.where(item_snapshots.c.at > (self._after or EPOCH), item_snapshots.c.at < self._now - DAY)
        return connection.execute(query.order_by(item_snapshots.c.at).limit(most)).scalars().all()

    def _stays(self, moment: datetime) -> bool:
        """Whether a snapshot is the first of its hour or day."""
        age = self._now - moment
        if age > YEAR:
            return False
        length = DAY if age > MONTH else HOUR
        before, self._kept = self._kept, (length, (moment - EPOCH) // length)
        return self._kept != before


def walks(now: datetime) -> Iterator[Walk]:
    """The walks through all that is old but items, whose age their pipelines say."""
    for state in (SENT, GIVEN_UP):
        yield OldReplies(state, now - YEAR)
    yield OldLetters(now - YEAR)
    yield Snapshots(now)
