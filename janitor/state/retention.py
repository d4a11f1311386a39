"""Retention: what is old is deleted, in steps so small that nobody waits for them.

A walk goes once along an index, from the oldest rows to where nothing is old any more. So it does not matter how long
the history is.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from sqlalchemy import ColumnElement, Connection, Table, delete, select

from janitor.state import expired
from janitor.state.tables import attempts, results, run_logs, run_uses, runs

TOGETHER = 500
"""One statement names so many ids: a server may look for each of a thousand in the whole table."""
FEW = 100
"""So many runs that stay are named, within a range of ids that go."""


class Walk(Protocol):
    """A walk through what is old."""

    def step(self, connection: Connection, most: int) -> int | None:
        """Delete up to so many rows; how many went, which may be 0. None once all have been seen."""


@dataclass(frozen=True)
class OldRuns:
    """The runs that a walk finds, with all that is kept of them."""

    walk: expired.Runs

    def step(self, connection: Connection, most: int) -> int | None:
        """As `Walk` says."""
        batch = self.walk.next(connection, most)
        if batch is None:
            return None
        remove(connection, batch.ids, batch.stay)
        return len(batch.ids)


@dataclass(frozen=True)
class OldRows:
    """The rows of a table for which `condition` is true, the oldest first.

    `condition` bounds the column `at`; an index begins with what it compares besides, and goes on with `at`.
    """

    table: Table
    condition: ColumnElement[bool]

    def step(self, connection: Connection, most: int) -> int | None:
        """As `Walk` says."""
        found = select(self.table.c.id).where(self.condition).order_by(self.table.c.at).limit(most)
        ids = connection.execute(found).scalars().all()
        _delete(connection, self.table, self.table.c.id, ids, None)
        return len(ids) or None


def remove(connection: Connection, ids: Sequence[int], stay: Sequence[int] | None = None) -> None:
    """Delete runs with all that is kept of them; `stay` are all other runs between the first and the last, if given."""
    for table in (run_logs, attempts, results, run_uses):
        _delete(connection, table, table.c.run_id, ids, stay)
    _delete(connection, runs, runs.c.id, ids, stay)


def _delete(
    connection: Connection, table: Table, column: ColumnElement[int], ids: Sequence[int], stay: Sequence[int] | None
) -> None:
    if ids and stay is not None and len(stay) <= FEW:
        within = column.between(ids[0], ids[-1])
        connection.execute(delete(table).where(within & column.not_in(stay) if stay else within))
        return
    for start in range(0, len(ids), TOGETHER):
        connection.execute(delete(table).where(column.in_(ids[start : start + TOGETHER])))
