"""The names under which jobs remember things; actions by age and kind, deliveries by channel; and an identity.

So old actions can go, pages read what they show, and a restored backup is noticed.
"""

from collections.abc import Iterator

import sqlalchemy as sa

from janitor.state.migrations.known_names import NamesOfCursors, NamesOfQuarantines
from janitor.state.migrations.steps import AddIndex, AddTable, Step
from janitor.state.tables import Instant


def steps() -> Iterator[Step]:
    """The steps, in their order."""
    yield AddTable(
        "memories",
        sa.Column("job", sa.String(191), nullable=False),
        sa.Column("name", sa.String(191), nullable=False),
        sa.PrimaryKeyConstraint("job", "name"),
    )
    yield NamesOfCursors()
    yield NamesOfQuarantines()
    yield AddIndex("actions_by_age", "actions", ["at"])
    yield AddIndex("actions_by_kind", "actions", ["action", "job", "at"])
    yield AddIndex("deliveries_of_channel", "deliveries", ["channel", "outcome", "id"])
    yield AddTable(
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
