"""Items: pipelines of steps, what came of each try, replies that wait, dead letters, and counts over time.

All tables are new, so nothing that is there is read or changed.
"""

from collections.abc import Iterator

import sqlalchemy as sa

from janitor.state.migrations.steps import AddIndex, AddTable, Step
from janitor.state.tables import Instant, LongText, RowId


def steps() -> Iterator[Step]:
    """The steps, in their order."""
    yield from _items()
    yield from _item_steps()
    yield from _item_results()
    yield from _item_attempts()
    yield from _item_replies()
    yield from _item_letters()
    yield from _item_counts()
    yield from _item_snapshots()
    yield from _item_pipelines()
    yield AddTable(
        "turns",
        sa.Column("name", sa.String(191), nullable=False),
        sa.Column("used_until", Instant, nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )


def _items() -> Iterator[Step]:
    yield AddTable(
        "items",
        sa.Column("id", RowId, autoincrement=True),
        sa.Column("pipeline", sa.String(64), nullable=False),
        sa.Column("key", sa.String(255), nullable=False),
        sa.Column("args", LongText, nullable=False),
        sa.Column("priority", sa.Integer, nullable=False),
        sa.Column("order_at", Instant, nullable=False),
        sa.Column("added_at", Instant, nullable=False),
        sa.Column("expires_at", Instant),
        sa.Column("state", sa.Integer, nullable=False),
        sa.Column("ended_at", Instant),
        sa.Column("open_until", Instant),
        sa.Column("origin", sa.String(64), nullable=False),
        sa.Column("envelope", LongText),
        sa.Column("secrets", LongText),
        sa.Column("times", sa.Integer, nullable=False),
        sa.Column("flag", LongText),
        sa.Column("flagged_at", Instant),
        sa.Column("flagged_by", sa.String(255)),
        sa.Column("resolution", LongText),
        sa.Column("resolved_at", Instant),
        sa.Column("resolved_by", sa.String(255)),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("pipeline", "key", name="one_item_per_key"),
        sqlite_autoincrement=True,
    )
    yield AddIndex("items_by_state", "items", ["pipeline", "state", "ended_at"])
    yield AddIndex("items_by_expiry", "items", ["open_until"], sqlite_where=sa.text("expires_at IS NOT NULL"))
    yield AddIndex("items_flagged", "items", ["pipeline", "flagged_at"])


def _item_steps() -> Iterator[Step]:
    yield AddTable(
        "item_steps",
        sa.Column("item_id", RowId, nullable=False),
        sa.Column("step", sa.String(64), nullable=False),
        sa.Column("lane", sa.String(129), nullable=False),
        sa.Column("state", sa.Integer, nullable=False),
        sa.Column("rank", sa.Integer, nullable=False),
        sa.Column("sort_at", Instant, nullable=False),
        sa.Column("status", sa.String(64), nullable=False),
        sa.Column("since_at", Instant, nullable=False),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.Column("deaths", sa.Integer, nullable=False),
        sa.Column("claims", sa.Integer, nullable=False),
        sa.Column("run_id", RowId, nullable=False),
        sa.PrimaryKeyConstraint("item_id", "step"),
        sqlite_with_rowid=False,
    )
    yield AddIndex("item_steps_due", "item_steps", ["lane", "state", "rank", "sort_at", "item_id"])


def _item_results() -> Iterator[Step]:
    yield AddTable(
        "item_results",
        sa.Column("item_id", RowId, nullable=False),
        sa.Column("step", sa.String(64), nullable=False),
        sa.Column("content", LongText, nullable=False),
        sa.PrimaryKeyConstraint("item_id", "step"),
        sqlite_with_rowid=False,
    )


def _item_attempts() -> Iterator[Step]:
    yield AddTable(
        "item_attempts",
        sa.Column("id", RowId, autoincrement=True),
        sa.Column("item_id", RowId, nullable=False),
        sa.Column("step", sa.String(64), nullable=False),
        sa.Column("run_id", RowId, nullable=False),
        sa.Column("started_at", Instant, nullable=False),
        sa.Column("seconds", sa.Float, nullable=False),
        sa.Column("status", sa.String(64), nullable=False),
        sa.Column("reason", LongText),
        sa.Column("traceback", LongText),
        sa.Column("log", LongText),
        sa.Column("code", sa.String(64)),
        sa.PrimaryKeyConstraint("id"),
    )
    yield AddIndex("item_attempts_of_item", "item_attempts", ["item_id", "id"])


def _item_replies() -> Iterator[Step]:
    yield AddTable(
        "item_replies",
        sa.Column("id", RowId, autoincrement=True),
        sa.Column("lane", sa.String(129), nullable=False),
        sa.Column("state", sa.Integer, nullable=False),
        sa.Column("due_at", Instant, nullable=False),
        sa.Column("pipeline", sa.String(64), nullable=False),
        sa.Column("key", sa.String(255), nullable=False),
        sa.Column("item_id", RowId),
        sa.Column("content", LongText, nullable=False),
        sa.Column("added_at", Instant, nullable=False),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.Column("ended_at", Instant),
        sa.Column("reason", LongText),
        sa.PrimaryKeyConstraint("id"),
        sqlite_autoincrement=True,
    )
    yield AddIndex("item_replies_due", "item_replies", ["lane", "state", "due_at"])
    yield AddIndex("item_replies_of_item", "item_replies", ["item_id", "id"])
    yield AddIndex("item_replies_by_age", "item_replies", ["state", "ended_at"])


def _item_letters() -> Iterator[Step]:
    yield AddTable(
        "item_letters",
        sa.Column("id", RowId, autoincrement=True),
        sa.Column("pipeline", sa.String(64), nullable=False),
        sa.Column("inbox", sa.String(64), nullable=False),
        sa.Column("at", Instant, nullable=False),
        sa.Column("key", sa.String(255)),
        sa.Column("reason", LongText, nullable=False),
        sa.Column("message", LongText, nullable=False),
        sa.Column("bytes", sa.BigInteger, nullable=False),
        sa.Column("dropped_at", Instant),
        sa.Column("dropped_by", sa.String(255)),
        sa.PrimaryKeyConstraint("id"),
    )
    yield AddIndex("item_letters_of_pipeline", "item_letters", ["pipeline", "dropped_at", "id"])
    yield AddIndex("item_letters_by_age", "item_letters", ["at"])


def _item_counts() -> Iterator[Step]:
    yield AddTable(
        "item_counts",
        sa.Column("id", RowId, autoincrement=True),
        sa.Column("pipeline", sa.String(64), nullable=False),
        sa.Column("step", sa.String(64), nullable=False),
        sa.Column("state", sa.Integer, nullable=False),
        sa.Column("status", sa.String(64), nullable=False),
        sa.Column("number", sa.BigInteger, nullable=False),
        sa.Column("seconds", sa.Float, nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    yield AddIndex("item_counts_of_pipeline", "item_counts", ["pipeline"])


def _item_snapshots() -> Iterator[Step]:
    yield AddTable(
        "item_snapshots",
        sa.Column("pipeline", sa.String(64), nullable=False),
        sa.Column("at", Instant, nullable=False),
        sa.Column("content", LongText, nullable=False),
        sa.PrimaryKeyConstraint("pipeline", "at"),
    )
    yield AddIndex("item_snapshots_by_age", "item_snapshots", ["at"])


def _item_pipelines() -> Iterator[Step]:
    yield AddTable(
        "item_pipelines",
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("content", LongText, nullable=False),
        sa.Column("is_fitted", sa.Boolean, nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
