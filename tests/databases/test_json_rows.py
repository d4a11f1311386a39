"""Pages come whole, and equal to the driver's own rows, whatever they hold."""

from collections.abc import Iterator
from typing import NamedTuple

import pytest
from sqlalchemy import URL, Engine, create_engine, text

from janitor import databases
from janitor.databases import json_rows
from janitor.errors import Rejected

HOSTILE = ["", "plain", "it's", 'say "hi"', "back\\slash", "new\nline\ttab", "naïve café", "x" * 255, None]
QUERY = text("SELECT id, word, at FROM words WHERE id > :after ORDER BY id LIMIT :page_rows")


class Word(NamedTuple):
    """A row."""

    id: int
    word: str | None
    at: str | None


@pytest.fixture
def engine(database_url: URL) -> Iterator[Engine]:
    engine = create_engine(database_url)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE words (id INTEGER PRIMARY KEY, word VARCHAR(255), at DATETIME)"))
        rows = [{"id": id, "word": word} for id, word in enumerate(HOSTILE, 1)]
        connection.execute(text("INSERT INTO words VALUES (:id, :word, '2026-07-01 12:30:00')"), rows)
    yield engine
    engine.dispose()
    databases.dispose()


def read(engine: Engine, after: int = 0, page_rows: int = 100) -> list[Word]:
    return sorted(json_rows.fetch(engine.url, QUERY, {"after": after, "page_rows": page_rows}, Word))


def test_hostile_texts_come_back_as_they_are(engine: Engine) -> None:
    assert [row.word for row in read(engine)] == HOSTILE
    assert {str(row.at)[:19] for row in read(engine)} == {"2026-07-01 12:30:00"}


def test_a_page_is_no_longer_than_its_limit(engine: Engine) -> None:
    assert [row.id for row in read(engine, after=2, page_rows=3)] == [3, 4, 5]


def test_a_query_without_rows_is_an_empty_page(engine: Engine) -> None:
    assert read(engine, after=1_000) == []


def test_a_page_over_a_packet_comes_row_by_row(engine: Engine) -> None:
    if engine.dialect.name == "sqlite":
        pytest.skip("SQLite has no packets")
    long = "é" * 250
    with engine.begin() as connection:
        connection.execute(text("DELETE FROM words"))
        rows = [{"id": id, "word": long} for id in range(1, 3_001)]
        connection.execute(text("INSERT INTO words (id, word) VALUES (:id, :word)"), rows)
        before = connection.execute(text("SELECT @@global.max_allowed_packet")).scalar_one()
        connection.execute(text(f"SET GLOBAL max_allowed_packet = {2**20}"))
    databases.dispose()
    try:
        assert [(row.id, row.word) for row in read(engine, page_rows=5_000)] == [(id, long) for id in range(1, 3_001)]
    finally:
        with engine.begin() as connection:
            connection.execute(text(f"SET GLOBAL max_allowed_packet = {before}"))


def test_an_error_is_no_empty_page(engine: Engine) -> None:
    with pytest.raises(Rejected, match="a table is missing"):
        json_rows.fetch(engine.url, text("SELECT id, word, at FROM gone"), {}, Word)


def test_latin1_columns_come_as_they_are(engine: Engine) -> None:
    if engine.dialect.name == "sqlite":
        pytest.skip("SQLite knows one character set")
    with engine.begin() as connection:
        connection.execute(text("DROP TABLE words"))
        columns = "id INTEGER PRIMARY KEY, word VARCHAR(255), at DATETIME"
        connection.execute(text(f"CREATE TABLE words ({columns}) DEFAULT CHARSET=latin1"))
        connection.execute(text("INSERT INTO words (id, word) VALUES (1, 'Bâtiment £ / € ü')"))
    assert read(engine) == [Word(1, "Bâtiment £ / € ü", None)]
