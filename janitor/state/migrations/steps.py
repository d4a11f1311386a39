"""Steps that a migration may take twice.

MySQL cannot take DDL back: a migration that was cut off, or is run by two at once, goes on from what is there.
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

from janitor.state.tables import OPTIONS


def add_table(name: str, *parts: Any, **options: Any) -> None:
    """Make a table where there is none of that name."""
    op.create_table(name, *parts, if_not_exists=True, **OPTIONS, **options)


def add_column(table: str, column: "sa.Column[Any]") -> None:
    """Add a column where the table has none of that name."""
    if column.name not in {one["name"] for one in sa.inspect(op.get_bind()).get_columns(table)}:
        op.add_column(table, column)


def add_index(name: str, table: str, columns: list[str]) -> None:
    """Make an index where the table has none of that name."""
    if name not in {index["name"] for index in sa.inspect(op.get_bind()).get_indexes(table)}:
        op.create_index(name, table, columns)
