"""Steps of migrations: each is done by itself, and may be taken twice.

MySQL cannot roll DDL back. So a migration goes on from what is there: it may have been cut off, or run twice at once.
"""

from contextlib import AbstractContextManager, nullcontext
from typing import Any

import sqlalchemy as sa
from alembic.migration import MigrationContext
from alembic.operations import Operations

from janitor.errors import JanitorError
from janitor.state.migrations import Keep
from janitor.state.tables import OPTIONS


def transaction(connection: sa.Connection) -> AbstractContextManager[Any]:
    """A transaction of its own; within another transaction, that one."""
    return nullcontext() if connection.in_transaction() else connection.begin()


class Step:
    """One step of a migration."""

    reads: str | None = None
    """The table whose rows it reads; None if it takes the same time on a table of any size."""

    def is_done(self, connection: sa.Connection) -> bool:
        """Whether nothing is left to do; False too if its table is still to be made."""
        raise NotImplementedError

    def make(self, operations: Operations) -> None:
        """Do it, in a transaction."""
        raise NotImplementedError

    def take(self, connection: sa.Connection, keep: Keep) -> None:
        """Do it unless it is done, and commit."""
        try:
            with transaction(connection):
                if not self.is_done(connection):
                    self.make(Operations(MigrationContext.configure(connection)))
                keep(connection)
        except JanitorError:
            # Another process may have done it at the same moment.
            with transaction(connection):
                if not self.is_done(connection):
                    raise
                keep(connection)


class AddTable(Step):
    """Makes a table."""

    def __init__(self, name: str, *parts: Any, **options: Any) -> None:
        self._name, self._parts, self._options = name, parts, options

    def __str__(self) -> str:
        return f"make the table {self._name}"

    def is_done(self, connection: sa.Connection) -> bool:
        """Whether the table is there."""
        return sa.inspect(connection).has_table(self._name)

    def make(self, operations: Operations) -> None:
        """Make the table."""
        operations.create_table(self._name, *self._parts, if_not_exists=True, **OPTIONS, **self._options)


class AddColumn(Step):
    """Adds a column that may be NULL: no server copies a row for it."""

    def __init__(self, table: str, column: "sa.Column[Any]") -> None:
        assert column.nullable
        self._table, self._column = table, column

    def __str__(self) -> str:
        return f"add the column {self._column.name} to {self._table}"

    def is_done(self, connection: sa.Connection) -> bool:
        """Whether the table has the column."""
        inspector = sa.inspect(connection)
        known = inspector.get_columns(self._table) if inspector.has_table(self._table) else []
        return self._column.name in {column["name"] for column in known}

    def make(self, operations: Operations) -> None:
        """Add the column."""
        operations.add_column(self._table, self._column)


class AddIndex(Step):
    """Makes an index. A server reads every row for it in one statement, and lets others write meanwhile."""

    def __init__(self, name: str, table: str, columns: list[str], **options: Any) -> None:
        self._name, self._table, self._columns, self._options = name, table, columns, options
        self.reads = table

    def __str__(self) -> str:
        return f"make the index {self._name} of {self._table}"

    def is_done(self, connection: sa.Connection) -> bool:
        """Whether the table has the index."""
        inspector = sa.inspect(connection)
        known = inspector.get_indexes(self._table) if inspector.has_table(self._table) else []
        return self._name in {index["name"] for index in known}

    def make(self, operations: Operations) -> None:
        """Make the index."""
        operations.create_index(self._name, self._table, self._columns, **self._options)
