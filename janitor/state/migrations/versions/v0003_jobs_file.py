"""Jobs that build on one another: results, uses and descriptions of runs; the file and line of log lines."""

import sqlalchemy as sa

from janitor.state.migrations.steps import add_column, add_index, add_table
from janitor.state.tables import Digest, LongText, RowId

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Make every table, column and index that is missing."""
    add_column("runs", sa.Column("config", Digest))
    add_column("runs", sa.Column("kept_because", LongText))
    add_column("run_logs", sa.Column("file", sa.String(255)))
    add_column("run_logs", sa.Column("line", sa.Integer()))
    add_index("logs_by_age", "run_logs", ["level", "at"])
    add_table(
        "configs",
        sa.Column("digest", Digest, nullable=False),
        sa.Column("content", LongText, nullable=False),
        sa.PrimaryKeyConstraint("digest"),
    )
    add_table(
        "results",
        sa.Column("run_id", RowId, autoincrement=False, nullable=False),
        sa.Column("content", LongText, nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("run_id"),
    )
    add_table(
        "run_uses",
        sa.Column("run_id", RowId, autoincrement=False, nullable=False),
        sa.Column("dependency", sa.String(191), nullable=False),
        sa.Column("used_id", RowId, nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("run_id", "dependency"),
    )
    add_index("uses_of_run", "run_uses", ["used_id"])
