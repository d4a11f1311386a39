"""The first schema."""

from collections.abc import Iterator

import sqlalchemy as sa

from janitor.state.migrations.steps import AddIndex, AddTable, Step
from janitor.state.tables import Digest, Instant, LongText, RowId


def steps() -> Iterator[Step]:
    """The steps, in their order."""
    yield from _actions()
    yield from _cursors()
    yield from _jobs()
    yield from _leases()
    yield from _ledger()
    yield from _quarantine()
    yield from _runs()
    yield from _attempts()
    yield from _run_logs()


def _actions() -> Iterator[Step]:
    yield AddTable(
        "actions",
        sa.Column("id", RowId, autoincrement=True),
        sa.Column("at", Instant, nullable=False),
        sa.Column("actor", sa.String(255), nullable=False),
        sa.Column("action", sa.String(64), nullable=False),
        sa.Column("job", sa.String(191)),
        sa.Column("detail", LongText),
        sa.PrimaryKeyConstraint("id"),
    )
    yield AddIndex("actions_of_job", "actions", ["job", "id"])


def _cursors() -> Iterator[Step]:
    yield AddTable(
        "cursors",
        sa.Column("name", sa.String(191), nullable=False),
        sa.Column("position", LongText, nullable=False),
        sa.Column("updated_at", Instant, nullable=False),
        sa.Column("run_id", RowId, nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )


def _jobs() -> Iterator[Step]:
    yield AddTable(
        "jobs",
        sa.Column("id", sa.String(191), nullable=False),
        sa.Column("schedule", sa.String(255), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("enabled_at", Instant, nullable=False),
        sa.Column("paused_at", Instant),
        sa.Column("paused_by", sa.String(255)),
        sa.PrimaryKeyConstraint("id"),
    )


def _leases() -> Iterator[Step]:
    yield AddTable(
        "leases",
        sa.Column("name", sa.String(191), nullable=False),
        sa.Column("holder", sa.String(255)),
        sa.Column("token", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", Instant, nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    yield AddIndex("leases_of_holder", "leases", ["holder"])


def _ledger() -> Iterator[Step]:
    yield AddTable(
        "ledger",
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("digest", Digest, nullable=False),
        sa.Column("published_at", Instant, nullable=False),
        sa.PrimaryKeyConstraint("name", "digest"),
        sqlite_with_rowid=False,
    )
    yield AddIndex("ledger_by_age", "ledger", ["name", "published_at"])


def _quarantine() -> Iterator[Step]:
    yield AddTable(
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
    yield AddIndex("quarantine_by_item", "quarantine", ["name", "item"])
    yield AddIndex("quarantine_by_age", "quarantine", ["name", "last_at"])


def _runs() -> Iterator[Step]:
    yield AddTable(
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
    yield AddIndex("runs_by_outcome", "runs", ["outcome", "job"])
    yield AddIndex("runs_of_job", "runs", ["job", "id"])


def _attempts() -> Iterator[Step]:
    yield AddTable(
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


def _run_logs() -> Iterator[Step]:
    yield AddTable(
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
    yield AddIndex("logs_of_run", "run_logs", ["run_id", "id"])
