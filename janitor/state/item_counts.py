"""How many items are where: each change adds a row, and the rows are summed up now and then.

    transaction of a step        + 1 processed, - 1 processing
    transaction of an inbox      + 1 not processed
    now and then                 all rows of a pipeline become one row for each step and status

A row that all writers changed would let each wait for all others. What only ever grows, as the number of attempts, has
the state EVER.
"""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select

from janitor.databases.direct_insert import DirectInsert
from janitor.state.item_tables import item_counts, item_snapshots

EVER = -1
"""The state of counts of attempts."""
OF_ITEMS = ""
"""The step of counts of whole items."""
OF_INBOXES, OF_REPLIES = ":inboxes", ":replies"
"""The steps of counts of messages that came, and of replies; the status says what became of them."""
MOST_ROWS = 500
"""From so many rows on they are summed up."""
_ADD = DirectInsert(item_counts, ["step", "state", "status", "number", "seconds"], same=["pipeline"])


@dataclass(frozen=True)
class Count:
    """How many items of a pipeline have a status at a step; of attempts also how many seconds they took."""

    pipeline: str
    step: str
    state: int
    status: str
    number: int
    seconds: float = 0.0


@dataclass
class Changes:
    """What one transaction changes of a pipeline's counts."""

    pipeline: str
    numbers: Counter[tuple[str, int, str]] = field(default_factory=Counter)
    seconds: Counter[tuple[str, int, str]] = field(default_factory=Counter)

    def add(self, step: str, state: int, status: str, number: int = 1) -> None:
        """Count items that come to a state, or leave it."""
        self.numbers[step, state, status] += number

    def move(self, step: str, before: tuple[int, str], after: tuple[int, str], number: int = 1) -> None:
        """Count items that go from one state and status to another."""
        if before != after:
            self.numbers[step, *before] -= number
            self.numbers[step, *after] += number

    def tried(self, step: str, status: str, seconds: float) -> None:
        """Count an attempt."""
        self.numbers[step, EVER, status] += 1
        self.seconds[step, EVER, status] += seconds  # type: ignore[assignment]

    def write(self, connection: Connection) -> None:
        """Write what has changed."""
        rows = [
            (step, state, status, number, float(self.seconds[step, state, status]))
            for (step, state, status), number in self.numbers.items()
            if number
        ]
        _ADD.run(connection, rows, {"pipeline": self.pipeline})


def read(connection: Connection, pipeline: str | None = None) -> list[Count]:
    """The counts of one pipeline, or of all; those that are 0 are left out."""
    keys = (item_counts.c.pipeline, item_counts.c.step, item_counts.c.state, item_counts.c.status)
    number, seconds = func.sum(item_counts.c.number), func.sum(item_counts.c.seconds)
    query = select(*keys, number.label("number"), seconds.label("seconds")).group_by(*keys).order_by(*keys)
    if pipeline is not None:
        query = query.where(item_counts.c.pipeline == pipeline)
    rows = connection.execute(query).all()
    return [Count(*row[:4], int(row.number), float(row.seconds)) for row in rows if row.number]


def sum_up(connection: Connection, pipeline: str) -> int:
    """Sum the rows of a pipeline up, if there are many; how many rows went."""
    query = select(item_counts).where(item_counts.c.pipeline == pipeline).with_for_update()
    rows = connection.execute(query).all()
    if len(rows) <= MOST_ROWS:
        return 0
    changes = Changes(pipeline)
    for row in rows:
        changes.numbers[row.step, row.state, row.status] += row.number
        changes.seconds[row.step, row.state, row.status] += row.seconds
    ids = [row.id for row in rows]
    for at in range(0, len(ids), 1_000):
        connection.execute(delete(item_counts).where(item_counts.c.id.in_(ids[at : at + 1_000])))
    changes.write(connection)
    return len(rows)


def save_snapshot(connection: Connection, pipeline: str, at: datetime) -> None:
    """Keep the counts of a pipeline as they are at a moment."""
    content = [[one.step, one.state, one.status, one.number, one.seconds] for one in read(connection, pipeline)]
    connection.execute(insert(item_snapshots).values(pipeline=pipeline, at=at, content=json.dumps(content)))


def snapshots(connection: Connection, pipeline: str, since: datetime) -> Sequence[tuple[datetime, Sequence[Count]]]:
    """The counts of a pipeline as they were, from a moment on, the oldest first."""
    query = select(item_snapshots).where(item_snapshots.c.pipeline == pipeline, item_snapshots.c.at >= since)
    rows = connection.execute(query.order_by(item_snapshots.c.at)).all()
    return [(row.at, [Count(pipeline, *one) for one in json.loads(row.content)]) for row in rows]


def newest_snapshot(connection: Connection, pipeline: str) -> datetime | None:
    """When the counts of a pipeline were last kept."""
    query = select(item_snapshots.c.at).where(item_snapshots.c.pipeline == pipeline)
    return connection.execute(query.order_by(item_snapshots.c.at.desc()).limit(1)).scalar_one_or_none()


def drop_snapshots(connection: Connection, pipeline: str, moments: Sequence[datetime]) -> None:
    """Forget the counts as they were at these moments."""
    if moments:
        own = (item_snapshots.c.pipeline == pipeline) & item_snapshots.c.at.in_(moments)
        connection.execute(delete(item_snapshots).where(own))


def by_state(counts: Sequence[Count], step: str) -> Mapping[int, int]:
    """How many items are in which state at a step."""
    found: dict[int, Any] = {}
    for one in counts:
        if one.step == step:
            found[one.state] = found.get(one.state, 0) + one.number
    return found
