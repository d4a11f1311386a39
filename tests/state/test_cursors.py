"""Saved positions, by name."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import select

from janitor.state import State, cursors
from janitor.state.tables import cursors as cursor_rows

NOW = datetime(2026, 7, 1, 12, tzinfo=UTC)


def test_a_position_replaces_the_position_before(state: State) -> None:
    later = NOW + timedelta(hours=1)
    with state.begin() as connection:
        assert cursors.load(connection, "feed") is None
        cursors.save(connection, "feed", "one", NOW, 3)
        cursors.save(connection, "other", "two", NOW, 3)
        cursors.save(connection, "feed", "three", later, 4)
    with state.read() as connection:
        assert (cursors.load(connection, "feed"), cursors.load(connection, "other")) == ("three", "two")
        kept = connection.execute(select(cursor_rows).where(cursor_rows.c.name == "feed")).one()
        assert (kept.updated_at, kept.run_id) == (later, 4)


def test_a_forgotten_position_is_gone(state: State) -> None:
    with state.begin() as connection:
        cursors.save(connection, "feed", "one", NOW, 3)
        assert [cursors.forget(connection, "feed") for _ in range(2)] == [True, False]
        assert cursors.load(connection, "feed") is None
