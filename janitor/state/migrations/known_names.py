"""Filling the table `memories`: what the runs that are still on record tell of names.

    quarantine    name "labwhere"    key, item   a 1 | a 2 | ... | b 9 || c 1 | ... || ...
                                                 <-- one batch ----->

Who has kept a row is told by its run. A quarantine may have millions of rows. So it is read in batches, along its key:
no server cuts such a statement, and no lock is held for long. Cursors are few.
"""

from typing import Any

import sqlalchemy as sa
from alembic.operations import Operations

from janitor.state.migrations import Keep
from janitor.state.migrations.steps import Step, transaction

BATCH = 5_000
"""So many rows of a quarantine are read in one statement. Each costs a look at its run."""

_RUNS = sa.table("runs", sa.column("id"), sa.column("job"))
_MEMORIES = sa.table("memories", sa.column("job"), sa.column("name"))
_CURSORS = sa.table("cursors", sa.column("name"), sa.column("run_id"))
_ROWS = sa.table("quarantine", sa.column("name"), sa.column("key"), sa.column("item"), sa.column("run_id"))


class NamesOfCursors(Step):
    """Enters who has saved each cursor."""

    def __str__(self) -> str:
        return "fill the table memories from cursors"

    def is_done(self, connection: sa.Connection) -> bool:
        """It is not known: to enter a name again changes nothing."""
        return False

    def make(self, operations: Operations) -> None:
        """Enter the names."""
        operations.get_bind().execute(_entered(_CURSORS))


class NamesOfQuarantines(Step):
    """Enters who has kept rows in each quarantine, in batches; each batch is a transaction."""

    reads = "quarantine"

    def __str__(self) -> str:
        return "fill the table memories from quarantine"

    def is_done(self, connection: sa.Connection) -> bool:
        """It is not known: to enter a name again changes nothing."""
        return False

    def take(self, connection: sa.Connection, keep: Keep) -> None:
        """Enter the names."""
        name: Any = ""
        while name is not None:
            with transaction(connection):
                name = connection.execute(sa.select(sa.func.min(_ROWS.c.name)).where(_ROWS.c.name > name)).scalar()
            after: Any = ("", "")
            while name is not None and after is not None:
                with transaction(connection):
                    after = _batch(connection, name, after)
                    keep(connection)


def _batch(connection: sa.Connection, name: str, after: Any) -> Any:
    """Take the batch of a name after a key and item; the last key and item of it, None if it was the last batch."""
    here = (_ROWS.c.name == name) & _beyond(*after)
    ordered = sa.select(_ROWS.c.key, _ROWS.c.item).where(here).order_by(_ROWS.c.key, _ROWS.c.item)
    last = connection.execute(ordered.limit(1).offset(BATCH - 1)).one_or_none()
    connection.execute(_entered(_ROWS, here if last is None else here & _up_to(*last)))
    return last


def _beyond(key: str, item: str) -> sa.ColumnElement[bool]:
    # A bound of the key by itself, and first: SQLite finds its way along the index by no other.
    return (_ROWS.c.key >= key) & ((_ROWS.c.key > key) | (_ROWS.c.item > item))


def _up_to(key: str, item: str) -> sa.ColumnElement[bool]:
    return (_ROWS.c.key <= key) & ((_ROWS.c.key < key) | (_ROWS.c.item <= item))


def _entered(table: sa.TableClause, where: sa.ColumnElement[bool] = sa.true()) -> sa.Insert:
    known = sa.exists().where(_MEMORIES.c.job == _RUNS.c.job, _MEMORIES.c.name == table.c.name)
    found = sa.select(_RUNS.c.job, table.c.name).join(table, table.c.run_id == _RUNS.c.id).where(where, ~known)
    return sa.insert(_MEMORIES).from_select(["job", "name"], found.distinct())
