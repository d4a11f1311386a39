"""Quarantined rows: kept, renewed, given up, and taken up again for another reason."""

from datetime import UTC, datetime, timedelta

from janitor.state import State, quarantine
from janitor.state.quarantine import Quarantined

NOON = datetime(2026, 7, 1, 12, tzinfo=UTC)
ONE = Quarantined("DN7", "no name", "41")
TWO = Quarantined("DN7", "no name", "42")
OTHER = Quarantined("DN8", "too long", "43")


def put(state: State, *rows: Quarantined, hours: int = 0) -> list[Quarantined]:
    with state.begin() as connection:
        return list(quarantine.put(connection, "q", rows, NOON + timedelta(hours=hours), 9))


def test_a_key_is_news_once_for_each_reason(state: State) -> None:
    assert [row.key for row in put(state, ONE, TWO, OTHER)] == ["DN7", "DN8"]
    assert put(state, ONE, TWO, OTHER) == []
    renamed = Quarantined("DN7", "no location", "41")
    assert put(state, renamed, TWO) == [renamed]


def test_a_row_seen_again_keeps_its_first_moment(state: State) -> None:
    put(state, ONE)
    put(state, ONE, hours=2)
    with state.read() as connection:
        (line,) = quarantine.listing(connection, "q")
    assert (line.first_at, line.last_at) == (NOON, NOON + timedelta(hours=2))


def test_a_row_given_up_counts_again_for_a_new_reason(state: State) -> None:
    """Given a key that a person gave up, the same reason changes nothing; another reason takes the row up again."""
    put(state, ONE, OTHER)
    with state.begin() as connection:
        assert quarantine.drop(connection, "q", "DN7", "anna", "thrown away", NOON) == 1
    put(state, ONE)
    with state.read() as connection:
        assert (quarantine.size(connection, "q"), quarantine.dropped_size(connection, "q")) == (1, 1)
    put(state, Quarantined("DN7", "no location", "41"))
    with state.read() as connection:
        assert (quarantine.size(connection, "q"), quarantine.dropped_size(connection, "q")) == (2, 0)
        assert quarantine.sizes(connection) == {"q": 2} and quarantine.sizes(connection, ["other"]) == {}


def test_rows_are_found_by_item_and_released(state: State) -> None:
    put(state, ONE, TWO, OTHER)
    with state.begin() as connection:
        assert quarantine.of_items(connection, "q", ["41", "43", "99"]) == {("DN7", "41"), ("DN8", "43")}
        quarantine.release(connection, "q", [("DN7", "41"), ("DN8", "43")])
        assert quarantine.page(connection, "q", ("", ""), 10) == [("DN7", "42")]
        quarantine.release(connection, "q", [("DN7", "42"), ("DN7", "42")])
        assert quarantine.is_empty(connection, "q")


def test_rows_looked_at_longest_ago_come_first(state: State) -> None:
    put(state, ONE)
    put(state, TWO, hours=1)
    put(state, OTHER, hours=2)
    with state.begin() as connection:
        quarantine.touch(connection, "q", [("DN7", "41")], NOON + timedelta(hours=3))
        assert quarantine.checked_longest_ago(connection, "q", 2) == [("DN7", "42"), ("DN8", "43")]
        assert quarantine.look_first(connection, "q", "DN8") == 1
        assert quarantine.checked_longest_ago(connection, "q", 1) == [("DN8", "43")]
        assert quarantine.look_first(connection, "q") == 3
