"""The tables of the state database; `migrations/` has the steps that make them.

What people read goes through `Words` or `Name`, so that a server never refuses a text for its length or its
characters. A `LongText` holds JSON or a position, which nobody may cut: whoever writes it keeps it within bounds.
"""

import functools
from collections.abc import Callable
from datetime import datetime, timezone
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Dialect,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
)
from sqlalchemy.dialects import mysql

from janitor.runs import bounds
from janitor.runs.bounds import shortened

SCHEMA_VERSION = "0007"
"""The newest migration. A state database of this version is used as it is."""
_NAIVE = len("2026-01-02 03:04:05.678901")
UNREADABLE = datetime(1970, 1, 1, tzinfo=timezone.utc)
"""What is read if a stored instant is none, such as 2023-02-30."""


class Instant(TypeDecorator[datetime]):
    """An aware instant, kept as naive UTC with microseconds."""

    impl = DateTime().with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb")
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse an instant without a zone: it would be another moment on another machine."""
        return None if value is None else _naive(value)

    @staticmethod
    def to_text(value: datetime) -> str:
        """An instant as it stands in a text with rows."""
        if value.tzinfo is timezone.utc:  # nearly always, and much quicker
            return value.isoformat(" ", "microseconds")[:_NAIVE]
        return _naive(value).isoformat(" ", "microseconds")

    @staticmethod
    @functools.lru_cache(maxsize=1_000)
    def from_text(value: str) -> datetime:
        """An instant that stood in a text with rows; whatever is stored is read."""
        # Those of rows that were written together are often the same.
        try:
            return datetime.fromisoformat(f"{value}+00:00")
        except ValueError:
            return UNREADABLE

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], datetime | None] | None:
        """Read whatever is stored: one row that a person changed by hand must not hide all others."""
        # In place of `process_result_value`, which takes two calls for each value: a list of jobs reads thousands.
        process = self.impl_instance.result_processor(dialect, coltype)

        def read(value: Any) -> datetime | None:
            if value is None:
                return None
            try:
                found: Any = value if process is None else process(value)
                instant: datetime = found.replace(tzinfo=timezone.utc)
                return instant
            except (ValueError, TypeError):  # on SQLite any text; on MySQL 0000-00-00, which comes as a text
                return UNREADABLE

        return read


def _naive(value: datetime) -> datetime:
    if value.tzinfo is None:
        raise ValueError(f"{value!r} has no zone")
    return value.astimezone(timezone.utc).replace(tzinfo=None)


class Words(TypeDecorator[str]):
    """A text for people: it is shortened to `most` bytes before it is written."""

    impl = Text().with_variant(mysql.MEDIUMTEXT(), "mysql", "mariadb")
    cache_ok = True

    def __init__(self, most: int = bounds.REASON, keep_end: bool = False) -> None:
        super().__init__()
        self.most, self.keep_end = most, keep_end

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """Shorten what is written."""
        return None if value is None else shortened(value, self.most, keep_end=self.keep_end)


class Name(TypeDecorator[str]):
    """A short text for people: its end is left out if it has more than `length` characters."""

    impl = String
    cache_ok = True

    def __init__(self, length: int) -> None:
        super().__init__(length)
        self.length = length

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """Cut what is written."""
        return None if value is None else shortened(value[: self.length], 4 * self.length)[: self.length]


LongText = Text().with_variant(mysql.MEDIUMTEXT(), "mysql", "mariadb")
RowId = BigInteger().with_variant(Integer(), "sqlite")
Digest = LargeBinary(16).with_variant(mysql.BINARY(16), "mysql", "mariadb")
LedgerKey = LargeBinary(32).with_variant(mysql.VARBINARY(32), "mysql", "mariadb")

metadata = MetaData()
_MYSQL = {"mysql_charset": "utf8mb4", "mysql_collate": "utf8mb4_bin", "mysql_engine": "InnoDB"}
_MARIADB = {name.replace("mysql", "mariadb"): value for name, value in _MYSQL.items()}
OPTIONS: dict[str, Any] = {**_MYSQL, **_MARIADB}

identity = Table(
    "identity",
    metadata,
    Column("name", String(16), primary_key=True),
    Column("id", String(32), nullable=False),
    Column("generation", Integer, nullable=False),
    Column("beat", BigInteger, nullable=False),
    Column("beat_at", Instant, nullable=False),
    Column("made_at", Instant),
    Column("restored_at", Instant),
    Column("lost_since", Instant),
    Column("lost_until", Instant),
    **OPTIONS,
)

jobs = Table(
    "jobs",
    metadata,
    Column("id", String(191), primary_key=True),
    Column("schedule", Name(255), nullable=False),
    Column("enabled", Boolean, nullable=False),
    Column("enabled_at", Instant, nullable=False),
    Column("paused_at", Instant),
    Column("paused_by", Name(255)),
    **OPTIONS,
)

runs = Table(
    "runs",
    metadata,
    Column("id", RowId, primary_key=True, autoincrement=True),
    Column("job", String(191), nullable=False),
    Column("origin", String(16), nullable=False),
    Column("slot_at", Instant),
    Column("slot_until_at", Instant),
    Column("slots", Integer, nullable=False),
    Column("outcome", String(16)),
    Column("reason", Words()),
    Column("started_at", Instant, nullable=False),
    Column("ended_at", Instant),
    Column("seconds", Float),
    Column("attempts", Integer, nullable=False),
    Column("dry_run", Boolean, nullable=False),
    Column("counts", LongText),
    Column("progress", LongText),
    Column("traceback", Words(bounds.TRACEBACK, keep_end=True)),
    Column("holder", String(255), nullable=False),
    Column("stop_asked_by", Name(255)),
    Column("config", Digest),
    Column("kept_because", Words()),
    UniqueConstraint("job", "slot_at", name="one_outcome_per_slot"),
    Index("runs_of_job", "job", "id"),
    Index("runs_by_outcome", "outcome", "job"),
    Index("runs_by_start", "started_at"),
    sqlite_autoincrement=True,
    **OPTIONS,
)

attempts = Table(
    "attempts",
    metadata,
    Column("run_id", RowId, ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("started_at", Instant, nullable=False),
    Column("ended_at", Instant, nullable=False),
    Column("outcome", String(16), nullable=False),
    Column("reason", Words()),
    Column("traceback", Words(bounds.TRACEBACK, keep_end=True)),
    **OPTIONS,
)

run_logs = Table(
    "run_logs",
    metadata,
    Column("id", RowId, primary_key=True, autoincrement=True),
    Column("run_id", RowId, ForeignKey("runs.id", ondelete="CASCADE"), nullable=False),
    Column("at", Instant, nullable=False),
    Column("level", Name(16), nullable=False),
    Column("logger", Name(255), nullable=False),
    Column("message", Words(bounds.LOG_LINE), nullable=False),
    Column("file", Name(255)),
    Column("line", Integer),
    Index("logs_of_run", "run_id", "id"),
    Index("logs_by_age", "level", "at"),
    **OPTIONS,
)

configs = Table(
    "configs",
    metadata,
    Column("digest", Digest, primary_key=True),
    Column("content", LongText, nullable=False),
    **OPTIONS,
)

results = Table(
    "results",
    metadata,
    Column("run_id", RowId, ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    Column("content", LongText, nullable=False),
    **OPTIONS,
)

run_uses = Table(
    "run_uses",
    metadata,
    Column("run_id", RowId, ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    Column("dependency", String(191), primary_key=True),
    Column("used_id", RowId, nullable=False),
    Index("uses_of_run", "used_id"),
    **OPTIONS,
)

cursors = Table(
    "cursors",
    metadata,
    Column("name", String(191), primary_key=True),
    Column("position", LongText, nullable=False),
    Column("updated_at", Instant, nullable=False),
    Column("run_id", RowId, nullable=False),
    **OPTIONS,
)

ledger_entries = Table(
    "ledger_entries",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("key", LedgerKey, primary_key=True),
    Column("digest", Digest, nullable=False),
    Column("published_at", Instant, nullable=False),
    Index("ledger_entries_by_age", "name", "published_at"),
    sqlite_with_rowid=False,
    **OPTIONS,
)

# What releases before schema 0004 have entered: digests without keys. It is read, and pruned, and no longer written.
ledger = Table(
    "ledger",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("digest", Digest, primary_key=True),
    Column("published_at", Instant, nullable=False),
    Index("ledger_by_age", "name", "published_at"),
    sqlite_with_rowid=False,
    **OPTIONS,
)

quarantine = Table(
    "quarantine",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("key", String(255), primary_key=True),
    Column("item", String(64), primary_key=True),
    Column("reason", Words(), nullable=False),
    Column("first_at", Instant, nullable=False),
    Column("last_at", Instant, nullable=False),
    Column("run_id", RowId, nullable=False),
    Column("dropped_at", Instant),
    Column("dropped_by", Name(255)),
    Column("note", Words()),
    Index("quarantine_by_item", "name", "item"),
    Index("quarantine_by_age", "name", "last_at"),
    **OPTIONS,
)

refusals = Table(
    "refusals",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("item", String(64), primary_key=True),
    Column("key", String(255), primary_key=True),
    Column("reason", Words(), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("next_at", Instant, nullable=False),
    **OPTIONS,
)

memories = Table(
    "memories",
    metadata,
    Column("job", String(191), primary_key=True),
    Column("name", String(191), primary_key=True),
    **OPTIONS,
)
"""Under which names the task of each job keeps its cursor, ledger and quarantine."""

# By these columns, and by `alembic_version`, daemons of different releases agree who leads: they stay as they are.
leases = Table(
    "leases",
    metadata,
    Column("name", String(191), primary_key=True),
    Column("holder", String(255)),
    Column("token", BigInteger, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Index("leases_of_holder", "holder"),
    **OPTIONS,
)

actions = Table(
    "actions",
    metadata,
    Column("id", RowId, primary_key=True, autoincrement=True),
    Column("at", Instant, nullable=False),
    Column("actor", Name(255), nullable=False),
    Column("action", Name(64), nullable=False),
    Column("job", Name(191)),
    Column("detail", Words()),
    Index("actions_of_job", "job", "id"),
    Index("actions_by_age", "at"),
    Index("actions_by_kind", "action", "job", "at"),
    **OPTIONS,
)

notices = Table(
    "notices",
    metadata,
    Column("id", RowId, primary_key=True, autoincrement=True),
    Column("rule", String(32), nullable=False),
    Column("job", String(191), nullable=False),
    Column("run_id", RowId),
    Column("text", Words(), nullable=False),
    Column("began_at", Instant, nullable=False),
    Column("told_at", Instant, nullable=False),
    Column("ended_at", Instant),
    Index("notices_open", "ended_at", "job"),
    Index("notices_of_job", "job", "id"),
    **OPTIONS,
)

deliveries = Table(
    "deliveries",
    metadata,
    Column("id", RowId, primary_key=True, autoincrement=True),
    Column("notice_id", RowId, ForeignKey("notices.id", ondelete="CASCADE"), nullable=False),
    Column("channel", String(64), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("content", LongText, nullable=False),
    Column("added_at", Instant, nullable=False),
    Column("due_at", Instant, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("outcome", String(16)),
    Column("ended_at", Instant),
    Column("reason", Words()),
    Index("deliveries_due", "outcome", "due_at"),
    Index("deliveries_of_notice", "notice_id", "id"),
    Index("deliveries_of_channel", "channel", "outcome", "id"),
    **OPTIONS,
)
