"""A table of words, and rows that are hard to write and to read."""

from datetime import datetime, timedelta, timezone

from sqlalchemy import Column, Float, MetaData, String, Table, bindparam, select

from janitor.databases.direct_insert import DirectInsert
from janitor.state.tables import Instant, LongText, RowId

NOW = datetime(2026, 3, 4, 5, 6, 7, 890_123, tzinfo=timezone.utc)
PARIS = timezone(timedelta(hours=2))
HOSTILE = [
    "",
    "plain",
    "it's",
    'say "hi"',
    "back\\slash",
    "%s %(x)s ?",
    "new\nline",
    "naïve 😀",
    "a\x00b",
    "[1]",
    "null",
]
TABLE = Table(
    "words",
    MetaData(),
    Column("id", RowId, primary_key=True, autoincrement=False),
    Column("kind", String(16), nullable=False),
    Column("word", LongText),
    Column("at", Instant),
    Column("share", Float),
    mysql_charset="utf8mb4",
    mariadb_charset="utf8mb4",
)
ADD = DirectInsert(TABLE, ["id", "word", "at", "share"], same=["kind"])
QUERY = select(TABLE.c.id, TABLE.c.word, TABLE.c.at, TABLE.c.share).where(TABLE.c.kind == bindparam("kind"))
ROWS = [
    (number, word, None if number % 3 == 0 else (NOW + timedelta(hours=number)).astimezone(PARIS), number / 8)
    for number, word in enumerate([*HOSTILE, None])
]
