"""For operators: runs that are asked to stop, dropped quarantine rows, notices and their deliveries."""

from collections.abc import Iterator

import sqlalchemy as sa

from janitor.state.migrations.steps import AddColumn, AddIndex, AddTable, Step
from janitor.state.tables import Instant, LongText, RowId


def steps() -> Iterator[Step]:
    """The steps, in their order."""
    yield AddColumn("runs", sa.Column("stop_asked_by", sa.String(255)))
    yield AddIndex("runs_by_start", "runs", ["started_at"])
    for column in (
        sa.Column("dropped_at", Instant),
        sa.Column("dropped_by", sa.String(255)),
        sa.Column("note", LongText),
    ):
        yield AddColumn("quarantine", column)
    yield from _notices()
    yield from _deliveries()


def _notices() -> Iterator[Step]:
    yield AddTable(
        "notices",
        sa.Column("id", RowId, autoincrement=True),
        sa.Column("rule", sa.String(32), nullable=False),
        sa.Column("job", sa.String(191), nullable=False),
        sa.Column("run_id", RowId),
        sa.Column("text", LongText, nullable=False),
        sa.Column("began_at", Instant, nullable=False),
        sa.Column("told_at", Instant, nullable=False),
        sa.Column("ended_at", Instant),
        sa.PrimaryKeyConstraint("id"),
    )
    yield AddIndex("notices_open", "notices", ["ended_at", "job"])
    yield AddIndex("notices_of_job", "notices", ["job", "id"])


def _deliveries() -> Iterator[Step]:
    yield AddTable(
        "deliveries",
        sa.Column("id", RowId, autoincrement=True),
        sa.Column("notice_id", RowId, nullable=False),
        sa.Column("channel", sa.String(64), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("content", LongText, nullable=False),
        sa.Column("added_at", Instant, nullable=False),
        sa.Column("due_at", Instant, nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("outcome", sa.String(16)),
        sa.Column("ended_at", Instant),
        sa.Column("reason", LongText),
        sa.ForeignKeyConstraint(["notice_id"], ["notices.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
    )
    yield AddIndex("deliveries_due", "deliveries", ["outcome", "due_at"])
    yield AddIndex("deliveries_of_notice", "deliveries", ["notice_id", "id"])
