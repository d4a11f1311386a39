"""For operators: runs that are asked to stop, dropped quarantine rows, notices and their deliveries."""

import sqlalchemy as sa

from janitor.state.migrations.steps import add_column, add_index, add_table
from janitor.state.tables import Instant, LongText, RowId

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Make every table, column and index that is missing."""
    add_column("runs", sa.Column("stop_asked_by", sa.String(255)))
    add_index("runs_by_start", "runs", ["started_at"])
    for column in (
        sa.Column("dropped_at", Instant),
        sa.Column("dropped_by", sa.String(255)),
        sa.Column("note", LongText),
    ):
        add_column("quarantine", column)
    _notices()
    _deliveries()


def _notices() -> None:
    add_table(
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
    add_index("notices_open", "notices", ["ended_at", "job"])
    add_index("notices_of_job", "notices", ["job", "id"])


def _deliveries() -> None:
    add_table(
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
    add_index("deliveries_due", "deliveries", ["outcome", "due_at"])
    add_index("deliveries_of_notice", "deliveries", ["notice_id", "id"])
