"""Retention: what is old is deleted, in steps so small that nobody waits for them.

A walk goes once along an index, from the oldest rows to where nothing is old any more. So it does not matter how long
the history is.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from sqlalchemy import ColumnElement, Connection, Table, delete, select

from janitor.state import expired
from janitor.state.expired import Batch
from janitor.state.tables import attempts, results, run_logs, run_uses, runs

TOGETHER = 500
"""One statement names so many ids: a server may look for each of a thousand in the whole table."""
FEW = 100
"""So many runs that stay are named, within a range of ids that go."""
LINES_A_RUN = 10
"""A step for so many runs deletes so many lines for each: a run may have thousands, and then fewer runs go at once."""


class Walk(Protocol):
    """A walk through what is old."""

    def step(self, connection: Connection, most: int) -> int | None:
        """Delete up to so many rows; how many went, which may be 0. None once all have been seen."""


@dataclass(frozen=True)
class OldRuns:
    """The runs that a walk finds, with all that is kept of them; those with many lines go in several steps."""

    walk: expired.Runs

    def step(self, connection: Connection, most: int) -> int | None:
        """As `Walk` says."""
        batch = self.walk.next(connection, most)
        if batch is None:
            return None
        goes = _that_fit(connection, batch, most * LINES_A_RUN)
        remove(connection, goes, batch.stay)
        if len(goes) < len(batch.ids):
            # Whether the rest may go is asked anew: the next step may come late.
            self.walk.return_to(goes[-1])
        return len(goes)


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


def _that_fit(connection: Connection, batch: Batch, most_lines: int) -> Sequence[int]:
    """The first runs of a batch, which have up to so many lines together; the very first in any case."""
    ids = batch.ids if _is_range(batch.stay) else batch.ids[:TOGETHER]
    if not ids:
        return ids
    # Along the index of lines by run, and no further than to the line that is one too many.
    among = select(run_logs.c.run_id).where(_named(run_logs.c.run_id, ids, batch.stay)).order_by(run_logs.c.run_id)
    full = connection.execute(among.offset(most_lines).limit(1)).scalar_one_or_none()
    return ids if full is None else [run for run in ids if run < full] or ids[:1]


def remove(connection: Connection, ids: Sequence[int], stay: Sequence[int] | None = None) -> None:
    """Delete runs with all that is kept of them; `stay` are all other runs between the first and the last, if given."""
    for table in (run_logs, attempts, results, run_uses):
        _delete(connection, table, table.c.run_id, ids, stay)
    _delete(connection, runs, runs.c.id, ids, stay)


def _delete(
    connection: Connection, table: Table, column: ColumnElement[int], ids: Sequence[int], stay: Sequence[int] | None
) -> None:
    together = len(ids) if _is_range(stay) else TOGETHER
    for start in range(0, len(ids), max(1, together)):
        connection.execute(delete(table).where(_named(column, ids[start : start + together], stay)))


def _is_range(stay: Sequence[int] | None) -> bool:
    """Whether runs are named by the first and the last; if not, each is named."""
    return stay is not None and len(stay) <= FEW


def _named(column: ColumnElement[int], ids: Sequence[int], stay: Sequence[int] | None) -> ColumnElement[bool]:
    if not _is_range(stay):
        return column.in_(ids)
    within = column.between(ids[0], ids[-1])
    return within & column.not_in(stay) if stay else within
