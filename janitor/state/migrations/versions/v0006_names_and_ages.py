"""The names under which jobs remember things; actions by age, deliveries by channel; and which state database this is.

So old actions can go, pages read what they show, and a restored backup is noticed.
"""

import sqlalchemy as sa
from alembic import op

from janitor.state.migrations.steps import add_index, add_table
from janitor.state.tables import Instant

revision = "0006"
down_revision = "0005"

KNOWN = """
INSERT INTO memories (job, name)
SELECT DISTINCT r.job, m.name FROM {table} m JOIN runs r ON r.id = m.run_id
WHERE NOT EXISTS (SELECT 1 FROM memories k WHERE k.job = r.job AND k.name = m.name)
"""
"""What the runs that are still on record tell: who has saved the cursor, or kept the row."""


def upgrade() -> None:
    """Make the table and the indexes, if they are missing, and fill the table."""
    add_table(
        "memories",
        sa.Column("job", sa.String(191), nullable=False),
        sa.Column("name", sa.String(191), nullable=False),
        sa.PrimaryKeyConstraint("job", "name"),
    )
    for table in ("cursors", "quarantine"):
        op.execute(KNOWN.format(table=table))
    add_index("actions_by_age", "actions", ["at"])
    add_index("deliveries_of_channel", "deliveries", ["channel", "outcome", "id"])
    add_table(
        "identity",
        sa.Column("name", sa.String(16), nullable=False),
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("beat", sa.BigInteger(), nullable=False),
        sa.Column("beat_at", Instant, nullable=False),
        sa.Column("made_at", Instant),
        sa.Column("restored_at", Instant),
        sa.Column("lost_since", Instant),
        sa.Column("lost_until", Instant),
        sa.PrimaryKeyConstraint("name"),
    )
