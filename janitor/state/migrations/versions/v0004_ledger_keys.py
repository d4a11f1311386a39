"""The ledger by key: what each change was published with last.

The digests that earlier releases entered stay in the table `ledger`. A key that has no entry yet counts as published
if its digest is there, and then gets its entry. So nothing is published again because of this migration. No row is
copied here, so the step takes the same time on a ledger of any size. An earlier release goes on writing its own table.
"""

from collections.abc import Iterator

import sqlalchemy as sa

from janitor.state.migrations.steps import AddIndex, AddTable, Step
from janitor.state.tables import Digest, Instant, LedgerKey


def steps() -> Iterator[Step]:
    """The steps, in their order."""
    yield AddTable(
        "ledger_entries",
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("key", LedgerKey, nullable=False),
        sa.Column("digest", Digest, nullable=False),
        sa.Column("published_at", Instant, nullable=False),
        sa.PrimaryKeyConstraint("name", "key"),
        sqlite_with_rowid=False,
    )
    yield AddIndex("ledger_entries_by_age", "ledger_entries", ["name", "published_at"])
