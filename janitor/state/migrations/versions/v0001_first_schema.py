"""The first schema."""

from typing import Any

import sqlalchemy as sa
from alembic import op

from janitor.state.tables import OPTIONS, Digest, Instant, LongText, RowId

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make every table that is not there yet."""
    _table(
        "actions",
        sa.Column("id", RowId, autoincrement=True),
        sa.Column("at", Instant, nullable=False),
        sa.Column("actor", sa.String(255), nullable=False),
        sa.Column("action", sa.String(64), nullable=False),
        sa.Column("job", sa.String(191)),
        sa.Column("detail", LongText),
        sa.PrimaryKeyConstraint("id"),
    )
    _index("actions_of_job", "actions", ["job", "id"])
    _table(
        "cursors",
        sa.Column("name", sa.String(191), nullable=False),
        sa.Column("position", LongText, nullable=False),
        sa.Column("updated_at", Instant, nullable=False),
        sa.Column("run_id", RowId, nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    _table(
        "jobs",
        sa.Column("id", sa.String(191), nullable=False),
        sa.Column("schedule", sa.String(255), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("enabled_at", Instant, nullable=False),
        sa.Column("paused_at", Instant),
        sa.Column("paused_by", sa.String(255)),
        sa.PrimaryKeyConstraint("id"),
    )
    _table(
        "leases",
        sa.Column("name", sa.String(191), nullable=False),
        sa.Column("holder", sa.String(255)),
        sa.Column("token", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", Instant, nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    _index("leases_of_holder", "leases", ["holder"])
    _table(
        "ledger",
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("digest", Digest, nullable=False),
        sa.Column("published_at", Instant, nullable=False),
        sa.PrimaryKeyConstraint("name", "digest"),
        sqlite_with_rowid=False,
    )
    _index("ledger_by_age", "ledger", ["name", "published_at"])
    _table(
        "quarantine",
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("key", sa.String(255), nullable=False),
        sa.Column("item", sa.String(64), nullable=False),
        sa.Column("reason", LongText, nullable=False),
        sa.Column("first_at", Instant, nullable=False),
        sa.Column("last_at", Instant, nullable=False),
        sa.Column("run_id", RowId, nullable=False),
        sa.PrimaryKeyConstraint("name", "key", "item"),
    )
    _index("quarantine_by_item", "quarantine", ["name", "item"])
    _index("quarantine_by_age", "quarantine", ["name", "last_at"])
    _table(
        "runs",
        sa.Column("id", RowId, autoincrement=True),
        sa.Column("job", sa.String(191), nullable=False),
        sa.Column("origin", sa.String(16), nullable=False),
        sa.Column("slot_at", Instant),
        sa.Column("slot_until_at", Instant),
        sa.Column("slots", sa.Integer(), nullable=False),
        sa.Column("outcome", sa.String(16)),
        sa.Column("reason", LongText),
        sa.Column("started_at", Instant, nullable=False),
        sa.Column("ended_at", Instant),
        sa.Column("seconds", sa.Float()),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("dry_run", sa.Boolean(), nullable=False),
        sa.Column("counts", LongText),
        sa.Column("progress", LongText),
        sa.Column("traceback", LongText),
        sa.Column("holder", sa.String(255), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("job", "slot_at", name="one_outcome_per_slot"),
        sqlite_autoincrement=True,
    )
    _index("runs_by_outcome", "runs", ["outcome", "job"])
    _index("runs_of_job", "runs", ["job", "id"])
    _table(
        "attempts",
        sa.Column("run_id", RowId, nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("started_at", Instant, nullable=False),
        sa.Column("ended_at", Instant, nullable=False),
        sa.Column("outcome", sa.String(16), nullable=False),
        sa.Column("reason", LongText),
        sa.Column("traceback", LongText),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("run_id", "number"),
    )
    _table(
        "run_logs",
        sa.Column("id", RowId, autoincrement=True),
        sa.Column("run_id", RowId, nullable=False),
        sa.Column("at", Instant, nullable=False),
        sa.Column("level", sa.String(16), nullable=False),
        sa.Column("logger", sa.String(255), nullable=False),
        sa.Column("message", LongText, nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
    )
    _index("logs_of_run", "run_logs", ["run_id", "id"])


def _table(name: str, *parts: Any, **options: Any) -> None:
    # MySQL cannot take DDL back: a migration that was cut off, or is run by two at once, goes on from what is there.
    op.create_table(name, *parts, if_not_exists=True, **OPTIONS, **options)


def _index(name: str, table: str, columns: list[str]) -> None:
    if name not in {index["name"] for index in sa.inspect(op.get_bind()).get_indexes(table)}:
        op.create_index(name, table, columns)
