"""The identity: made once, counted on by whoever knows it, and one generation higher after a restore."""

from datetime import timedelta

from janitor.state import State, identity
from tests.small_engine import now


def test_a_state_database_gets_one_identity(state: State) -> None:
    at = now()
    with state.begin() as connection:
        assert identity.load(connection) is None
        first = identity.ensure(connection, at, made_at=at)
        again = identity.ensure(connection, at + timedelta(hours=1))
    assert first == again and (first.age, first.beat_at, first.made_at) == ((1, 0), at, at) and len(first.id) == 32


def test_a_beat_follows_the_one_that_is_known(state: State) -> None:
    at = now()
    with state.begin() as connection:
        first = identity.ensure(connection, at)
        second = identity.beat(connection, first, at + timedelta(seconds=7))
        assert second is not None and (second.age, second.beat_at) == ((1, 1), at + timedelta(seconds=7))
        assert identity.beat(connection, first, at) is None
        assert identity.load(connection) == second


def test_a_restore_begins_a_generation_above_all_that_are_known(state: State) -> None:
    at, hour = now(), timedelta(hours=1)
    with state.begin() as connection:
        backup = identity.ensure(connection, at)
        noted = identity.restored(connection, backup, (3, 70), at + 2 * hour, at + hour)
        assert noted is not None and noted.age == (4, 71)
        assert (noted.restored_at, noted.lost_since, noted.lost_until) == (at + 2 * hour, at, at + hour)
        assert identity.restored(connection, backup, (3, 70), at + 2 * hour, at + hour) is None
        again = identity.restored(connection, noted, noted.age, at + 4 * hour, at + 3 * hour)
        assert again is not None and (again.age, again.lost_since) == ((5, 72), at + 2 * hour)
