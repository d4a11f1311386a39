"""The ledger: with which digest each key was published last."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import insert

from janitor.state import State, ledger
from janitor.state.tables import ledger as digests_of_old

NOW = datetime(2026, 7, 1, 12, tzinfo=UTC)


def digests(first: int, last: int, content: int = 0) -> dict[bytes, bytes]:
    """Keys, each with a digest that is the same for the same content."""
    return {number.to_bytes(20): (number * 1000 + content).to_bytes(16) for number in range(first, last)}


def entered_by_an_earlier_release(state: State, name: str, old: list[bytes]) -> None:
    """What a release before schema 0004 has in its ledger."""
    with state.begin() as connection:
        rows = [{"name": name, "digest": digest, "published_at": NOW} for digest in old]
        connection.execute(insert(digests_of_old), rows)


def test_what_was_entered_is_known_by_its_ledger(state: State) -> None:
    with state.begin() as connection:
        ledger.enter(connection, "a", digests(0, 1200), NOW)
        ledger.enter(connection, "a", {}, NOW)
        ledger.enter(connection, "b", digests(0, 3), NOW)
        found = ledger.entries(connection, "a", list(digests(700, 1700)))
        assert found == {key: ledger.Entry(digest, NOW) for key, digest in digests(700, 1200).items()}
        assert ledger.entries(connection, "b", list(digests(2, 9))).keys() == digests(2, 3).keys()
        assert ledger.entries(connection, "a", []) == {}
        assert (ledger.size(connection, "a"), ledger.size(connection, "c")) == (1200, 0)


def test_a_key_has_the_digest_that_came_last(state: State) -> None:
    later = NOW + timedelta(hours=1)
    with state.begin() as connection:
        ledger.enter(connection, "a", digests(0, 5), NOW)
        ledger.enter(connection, "a", digests(3, 9, content=7), later)
        ledger.enter(connection, "a", digests(3, 9, content=7), later)
        found = ledger.entries(connection, "a", list(digests(0, 9)))
        assert ledger.size(connection, "a") == 9
    assert {key: entry.digest for key, entry in found.items()} == digests(0, 3) | digests(3, 9, content=7)
    assert [entry.published_at for entry in found.values()] == [NOW] * 3 + [later] * 6


def test_keys_of_a_day_lie_together(state: State) -> None:
    with state.begin() as connection:
        ledger.enter(connection, "a", dict(reversed(digests(0, 400).items())), NOW)
        assert list(ledger.entries(connection, "a", list(digests(0, 400)))) == list(digests(0, 400))


def test_digests_of_an_earlier_release_are_known(state: State) -> None:
    old = list(digests(0, 700).values())
    entered_by_an_earlier_release(state, "a", old)
    with state.begin() as connection:
        assert ledger.without_key(connection, "a", [*old[100:], bytes(15) + b"x"]) == set(old[100:])
        assert ledger.without_key(connection, "b", old) == set()
        assert ledger.without_key(connection, "a", []) == set()


def test_what_is_adopted_replaces_no_entry(state: State) -> None:
    with state.begin() as connection:
        ledger.enter(connection, "a", digests(0, 2), NOW)
        for _ in range(2):
            ledger.adopt(connection, "a", digests(1, 4, content=7), NOW)
        found = ledger.entries(connection, "a", list(digests(0, 9)))
    assert {key: entry.digest for key, entry in found.items()} == digests(0, 2) | digests(2, 4, content=7)


def test_old_entries_go_a_few_at_a_time(state: State) -> None:
    entered_by_an_earlier_release(state, "a", [number.to_bytes(16) for number in range(4)])
    with state.begin() as connection:
        ledger.enter(connection, "a", digests(0, 7), NOW)
        ledger.enter(connection, "a", digests(7, 9), NOW + timedelta(hours=2))
        ledger.enter(connection, "b", digests(0, 2), NOW)
    before = NOW + timedelta(hours=1)
    gone: list[int] = []
    while not gone or gone[-1]:
        with state.begin() as connection:
            gone.append(ledger.prune(connection, "a", before, limit=3))
    assert gone == [3 + 3, 3 + 1, 1, 0]
    with state.begin() as connection:
        assert ledger.entries(connection, "a", list(digests(0, 9))).keys() == digests(7, 9).keys()
        assert ledger.without_key(connection, "a", [bytes(16)]) == set()
        assert ledger.size(connection, "b") == 2
