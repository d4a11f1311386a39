"""The tables: moments keep their zone, texts are compared byte by byte, and the hot queries use an index."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy import inspect, text

from janitor.runs import bounds
from janitor.state import State, actions, cursors
from janitor.state.tables import OPTIONS, metadata
from tests.servers import SqlServer
from tests.small_engine import migrated


def test_instants_keep_their_microseconds_and_zone(state: State) -> None:
    at = datetime(2026, 7, 1, 12, 0, 0, 123_456, tzinfo=UTC)
    elsewhere = at.astimezone(timezone(timedelta(hours=-9)))
    with state.begin() as connection:
        cursors.save(connection, "feed", "x", elsewhere, 1)
        (row,) = connection.execute(metadata.tables["cursors"].select()).all()
    assert row.updated_at == at and row.updated_at.utcoffset() == timedelta(0)


def test_an_instant_without_a_zone_is_refused(state: State) -> None:
    with pytest.raises(Exception, match="has no zone"), state.begin() as connection:
        cursors.save(connection, "feed", "x", datetime(2026, 7, 1), 1)
    with state.read() as connection:
        assert cursors.load(connection, "feed") is None


@pytest.mark.parametrize("stored", ["0000-00-00 00:00:00", "2023-02-30 10:00:00", "soon"])
def test_a_stored_instant_that_is_none_is_read_all_the_same(state: State, stored: str) -> None:
    if stored != "0000-00-00 00:00:00" and state.engine.dialect.name != "sqlite":
        pytest.skip("the server takes no such instant")
    with state.begin() as connection:
        cursors.save(connection, "feed", "x", datetime.now(UTC), 1)
        if state.engine.dialect.name != "sqlite":
            connection.execute(text("SET SESSION sql_mode = ''"))
        connection.execute(text("UPDATE cursors SET updated_at = :stored"), {"stored": stored})
        (row,) = connection.execute(metadata.tables["cursors"].select()).all()
    assert row.updated_at == datetime(1970, 1, 1, tzinfo=UTC) and row.position == "x"


def test_all_texts_on_mysql_are_compared_byte_by_byte(mariadb: SqlServer) -> None:
    state = migrated(mariadb.create_database())
    with state.engine.connect() as connection:
        query = text(
            "SELECT DISTINCT table_name, collation_name FROM information_schema.columns "
            "WHERE table_schema = DATABASE() AND collation_name IS NOT NULL AND table_name <> 'alembic_version'"
        )
        found = {tuple(row) for row in connection.execute(query)}
    assert found == {(name, OPTIONS["mysql_collate"]) for name in metadata.tables}
    state.close()


def test_the_hot_queries_use_an_index(state: State) -> None:
    names = {index["name"] for index in inspect(state.engine).get_indexes("runs")}
    assert {"runs_of_job", "runs_by_outcome"} <= names
    if state.engine.dialect.name == "sqlite":
        query = "EXPLAIN QUERY PLAN SELECT id FROM runs WHERE outcome IS NULL AND job = 'a'"
        with state.engine.connect() as connection:
            assert "runs_by_outcome (outcome=? AND job=?)" in str(connection.execute(text(query)).all())


def test_words_and_names_fit_whatever_they_are(state: State) -> None:
    """Given names and texts that are too long, or have halves of characters.

    They are written. No database may refuse them, and what is kept is within its bounds.
    """
    with state.begin() as connection:
        actions.record(connection, "é\udcff" * 300, "did", "job", "\U0001f9ea" * 1_000_000, datetime.now(UTC))
        (row,) = actions.listing(connection)
    assert len(row.actor) == 255 and row.actor.startswith("é\\udcffé")
    assert len(row.detail.encode()) <= bounds.REASON and "(4,000,000 bytes in all)" in row.detail
