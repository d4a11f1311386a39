"""Jobs that build on one another: results, uses and descriptions of runs; the file and line of log lines."""

from collections.abc import Iterator

import sqlalchemy as sa

from janitor.state.migrations.steps import AddColumn, AddIndex, AddTable, Step
from janitor.state.tables import Digest, LongText, RowId


def steps() -> Iterator[Step]:
    """The steps, in their order."""
    yield AddColumn("runs", sa.Column("config", Digest))
    yield AddColumn("runs", sa.Column("kept_because", LongText))
    yield AddColumn("run_logs", sa.Column("file", sa.String(255)))
    yield AddColumn("run_logs", sa.Column("line", sa.Integer()))
    yield AddIndex("logs_by_age", "run_logs", ["level", "at"])
    yield AddTable(
        "configs",
        sa.Column("digest", Digest, nullable=False),
        sa.Column("content", LongText, nullable=False),
        sa.PrimaryKeyConstraint("digest"),
    )
    yield AddTable(
        "results",
        sa.Column("run_id", RowId, autoincrement=False, nullable=False),
        sa.Column("content", LongText, nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("run_id"),
    )
    yield AddTable(
        "run_uses",
        sa.Column("run_id", RowId, autoincrement=False, nullable=False),
        sa.Column("dependency", sa.String(191), nullable=False),
        sa.Column("used_id", RowId, nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("run_id", "dependency"),
    )
    yield AddIndex("uses_of_run", "run_uses", ["used_id"])
