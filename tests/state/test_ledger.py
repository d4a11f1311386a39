"""The ledger: what has been published already, by digest."""

from datetime import UTC, datetime, timedelta

import pytest

from janitor.errors import Rejected
from janitor.state import State, ledger

NOW = datetime(2026, 7, 1, 12, tzinfo=UTC)


def digests(first: int, last: int) -> list[bytes]:
    return [number.to_bytes(16, "big") for number in range(first, last)]


def test_what_was_entered_is_known_by_its_ledger(state: State) -> None:
    with state.begin() as connection:
        ledger.add(connection, "a", digests(0, 1200), NOW)
        ledger.add(connection, "a", [], NOW)
        ledger.add(connection, "b", digests(0, 3), NOW)
        assert ledger.known(connection, "a", digests(700, 1700)) == set(digests(700, 1200))
        assert ledger.known(connection, "b", digests(2, 9)) == set(digests(2, 3))
        assert ledger.known(connection, "a", []) == set()
        assert (ledger.size(connection, "a"), ledger.size(connection, "c")) == (1200, 0)


def test_a_digest_is_entered_once_or_nothing_is(state: State) -> None:
    with state.begin() as connection:
        ledger.add(connection, "a", digests(0, 3), NOW)
    with pytest.raises(Rejected), state.begin() as connection:
        ledger.add(connection, "a", digests(2, 9), NOW)
    with state.begin() as connection:
        assert ledger.known(connection, "a", digests(0, 9)) == set(digests(0, 3))


def test_old_entries_go_a_few_at_a_time(state: State) -> None:
    with state.begin() as connection:
        ledger.add(connection, "a", digests(0, 7), NOW)
        ledger.add(connection, "a", digests(7, 9), NOW + timedelta(hours=2))
        ledger.add(connection, "b", digests(0, 2), NOW)
    before = NOW + timedelta(hours=1)
    gone: list[int] = []
    while not gone or gone[-1]:
        with state.begin() as connection:
            gone.append(ledger.prune(connection, "a", before, limit=3))
    assert gone == [3, 3, 1, 0]
    with state.begin() as connection:
        assert ledger.known(connection, "a", digests(0, 9)) == set(digests(7, 9))
        assert ledger.size(connection, "b") == 2
