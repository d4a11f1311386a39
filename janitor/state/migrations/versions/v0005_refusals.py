"""Which messages a broker has refused, how often, and when they are to be tried again."""

import sqlalchemy as sa

from janitor.state.migrations.steps import add_table
from janitor.state.tables import Instant, LongText

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Make the table, if it is missing."""
    add_table(
        "refusals",
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("item", sa.String(64), nullable=False),
        sa.Column("key", sa.String(255), nullable=False),
        sa.Column("reason", LongText, nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_at", Instant, nullable=False),
        sa.PrimaryKeyConstraint("name", "item", "key"),
    )
