"""The tables of items: what waits in pipelines, what became of it, and what is still to be told.

    items            one piece of work, by its key in its pipeline
    item_steps       where an item is at each step, in the order in which steps take them
    item_results     what a step left for later steps and for people
    item_attempts    each try of a step on an item
    item_replies     what is still to be told to whoever asked, and what was told
    item_letters     messages that could not become items: dead letters
    item_counts      how many items have which status: changes are added, and summed up now and then
    item_snapshots   the counts as they were at a moment
    item_pipelines   the steps of each pipeline, for processes that add items and have no jobs

A step finds what is due in one range of `item_steps_due`. Rows in other states lie elsewhere in that index.

InnoDB keeps rows that were added one after the other close together, and splits a page if one grows: with each end
that took as long as the rest of it. So a row keeps its length. While an item is open, `open_until` is its `expires_at`,
or FAR; with its end that becomes NULL, and `ended_at` is no longer. The `run_id` of a step that no run has is 0.
"""

from datetime import datetime, timezone

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    Index,
    Integer,
    String,
    Table,
    UniqueConstraint,
    text,
)

from janitor.runs import bounds
from janitor.state.tables import OPTIONS, Instant, LongText, Name, RowId, Words, metadata

FAR = datetime(9999, 12, 31, tzinfo=timezone.utc)
"""Until then an item is open that does not expire."""

items = Table(
    "items",
    metadata,
    Column("id", RowId, primary_key=True, autoincrement=True),
    Column("pipeline", String(64), nullable=False),
    Column("key", String(255), nullable=False),
    Column("args", LongText, nullable=False),
    Column("priority", Integer, nullable=False),
    Column("order_at", Instant, nullable=False),
    Column("added_at", Instant, nullable=False),
    Column("expires_at", Instant),
    Column("state", Integer, nullable=False),
    Column("ended_at", Instant),
    Column("open_until", Instant),
    Column("origin", String(64), nullable=False),
    Column("envelope", LongText),
    Column("secrets", LongText),
    Column("times", Integer, nullable=False),
    Column("flag", Words()),
    Column("flagged_at", Instant),
    Column("flagged_by", Name(255)),
    Column("resolution", Words()),
    Column("resolved_at", Instant),
    Column("resolved_by", Name(255)),
    UniqueConstraint("pipeline", "key", name="one_item_per_key"),
    Index("items_by_state", "pipeline", "state", "ended_at"),
    Index("items_by_expiry", "open_until", sqlite_where=text("expires_at IS NOT NULL")),
    Index("items_flagged", "pipeline", "flagged_at"),
    sqlite_autoincrement=True,
    **OPTIONS,
)

item_steps = Table(
    "item_steps",
    metadata,
    Column("item_id", RowId, primary_key=True, autoincrement=False),
    Column("step", String(64), primary_key=True),
    Column("lane", String(129), nullable=False),
    Column("state", Integer, nullable=False),
    Column("rank", Integer, nullable=False),
    Column("sort_at", Instant, nullable=False),
    Column("status", String(64), nullable=False),
    Column("since_at", Instant, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("deaths", Integer, nullable=False),
    Column("claims", Integer, nullable=False),
    Column("run_id", RowId, nullable=False),
    Index("item_steps_due", "lane", "state", "rank", "sort_at", "item_id"),
    sqlite_with_rowid=False,
    **OPTIONS,
)

item_results = Table(
    "item_results",
    metadata,
    Column("item_id", RowId, primary_key=True, autoincrement=False),
    Column("step", String(64), primary_key=True),
    Column("content", LongText, nullable=False),
    sqlite_with_rowid=False,
    **OPTIONS,
)

item_attempts = Table(
    "item_attempts",
    metadata,
    Column("id", RowId, primary_key=True, autoincrement=True),
    Column("item_id", RowId, nullable=False),
    Column("step", String(64), nullable=False),
    Column("run_id", RowId, nullable=False),
    Column("started_at", Instant, nullable=False),
    Column("seconds", Float, nullable=False),
    Column("status", String(64), nullable=False),
    Column("reason", Words()),
    Column("traceback", Words(bounds.TRACEBACK, keep_end=True)),
    Column("log", Words(bounds.TRACEBACK, keep_end=True)),
    Column("code", Name(64)),
    Index("item_attempts_of_item", "item_id", "id"),
    **OPTIONS,
)

item_replies = Table(
    "item_replies",
    metadata,
    Column("id", RowId, primary_key=True, autoincrement=True),
    Column("lane", String(129), nullable=False),
    Column("state", Integer, nullable=False),
    Column("due_at", Instant, nullable=False),
    Column("pipeline", String(64), nullable=False),
    Column("key", String(255), nullable=False),
    Column("item_id", RowId),
    Column("content", LongText, nullable=False),
    Column("added_at", Instant, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("ended_at", Instant),
    Column("reason", Words()),
    Index("item_replies_due", "lane", "state", "due_at"),
    Index("item_replies_of_item", "item_id", "id"),
    Index("item_replies_by_age", "state", "ended_at"),
    sqlite_autoincrement=True,
    **OPTIONS,
)

item_letters = Table(
    "item_letters",
    metadata,
    Column("id", RowId, primary_key=True, autoincrement=True),
    Column("pipeline", String(64), nullable=False),
    Column("inbox", String(64), nullable=False),
    Column("at", Instant, nullable=False),
    Column("key", Name(255)),
    Column("reason", Words(), nullable=False),
    Column("message", Words(bounds.TRACEBACK), nullable=False),
    Column("bytes", BigInteger, nullable=False),
    Column("dropped_at", Instant),
    Column("dropped_by", Name(255)),
    Index("item_letters_of_pipeline", "pipeline", "dropped_at", "id"),
    Index("item_letters_by_age", "at"),
    **OPTIONS,
)

item_counts = Table(
    "item_counts",
    metadata,
    Column("id", RowId, primary_key=True, autoincrement=True),
    Column("pipeline", String(64), nullable=False),
    Column("step", String(64), nullable=False),
    Column("state", Integer, nullable=False),
    Column("status", String(64), nullable=False),
    Column("number", BigInteger, nullable=False),
    Column("seconds", Float, nullable=False),
    Index("item_counts_of_pipeline", "pipeline"),
    **OPTIONS,
)

item_snapshots = Table(
    "item_snapshots",
    metadata,
    Column("pipeline", String(64), primary_key=True),
    Column("at", Instant, primary_key=True),
    Column("content", LongText, nullable=False),
    Index("item_snapshots_by_age", "at"),
    **OPTIONS,
)

item_pipelines = Table(
    "item_pipelines",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("content", LongText, nullable=False),
    Column("is_fitted", Boolean, nullable=False),
    **OPTIONS,
)

turns = Table(
    "turns",
    metadata,
    Column("name", String(191), primary_key=True),
    Column("used_until", Instant, nullable=False),
    **OPTIONS,
)
"""Until when the turns of each name are used up: see `state/turns.py`."""
