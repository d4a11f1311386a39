"""The ledger by key: what each change was published with last.

The digests that earlier releases entered stay in the table `ledger`. A key that has no entry yet counts as published
if its digest is there, and then gets its entry. So nothing is published again because of this migration. No row is
copied here, so the step takes the same time on a ledger of any size. An earlier release goes on writing its own table.
"""

import sqlalchemy as sa

from janitor.state.migrations.steps import add_index, add_table
from janitor.state.tables import Digest, Instant, LedgerKey

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Make the table and its index, if they are missing."""
    add_table(
        "ledger_entries",
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("key", LedgerKey, nullable=False),
        sa.Column("digest", Digest, nullable=False),
        sa.Column("published_at", Instant, nullable=False),
        sa.PrimaryKeyConstraint("name", "key"),
        sqlite_with_rowid=False,
    )
    add_index("ledger_entries_by_age", "ledger_entries", ["name", "published_at"])
