"""Which messages a broker has refused, how often, and when they are to be tried again."""

from collections.abc import Iterator

import sqlalchemy as sa

from janitor.state.migrations.steps import AddTable, Step
from janitor.state.tables import Instant, LongText


def steps() -> Iterator[Step]:
    """The steps, in their order."""
    yield AddTable(
        "refusals",
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("item", sa.String(64), nullable=False),
        sa.Column("key", sa.String(255), nullable=False),
        sa.Column("reason", LongText, nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_at", Instant, nullable=False),
        sa.PrimaryKeyConstraint("name", "item", "key"),
    )
