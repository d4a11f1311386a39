"""Steps that a migration may take twice.

MySQL cannot roll DDL back. So a migration goes on from what is there: it may have been cut off, or run twice at once.
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

from janitor.state.tables import OPTIONS


def add_table(name: str, *parts: Any, **options: Any) -> None:
    """Make a table, unless it is there."""
    op.create_table(name, *parts, if_not_exists=True, **OPTIONS, **options)


def add_column(table: str, column: "sa.Column[Any]") -> None:
    """Add a column, unless the table has it."""
    if column.name not in {known["name"] for known in sa.inspect(op.get_bind()).get_columns(table)}:
        op.add_column(table, column)


def add_index(name: str, table: str, columns: list[str]) -> None:
    """Make an index, unless the table has it."""
    if name not in {index["name"] for index in sa.inspect(op.get_bind()).get_indexes(table)}:
        op.create_index(name, table, columns)
