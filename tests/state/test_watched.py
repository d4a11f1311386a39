"""Watched: how far the notices have looked at the history."""

import pytest

from janitor.state import State, cursors, watched
from janitor.state.watched import Watched
from tests.state.history import NOW


@pytest.mark.parametrize(
    ("run_id", "seen"), [(1, True), (3, False), (4, True), (5, False), (6, True), (7, False), (8, True), (9, False)]
)
def test_the_end_of_a_run_is_seen_once_looked_at(run_id: int, seen: bool) -> None:
    # Given looks at the runs up to 6 while 3 and 5 still ran, and at the end of the later run 8.
    assert Watched(upto=6, open=frozenset({3, 5}), ended=frozenset({8})).has_seen(run_id) is seen


def test_before_the_first_look_nothing_is_known(state: State) -> None:
    with state.read() as connection:
        assert watched.load(connection) is None
    assert not Watched().has_seen(1)


def test_what_is_saved_is_loaded_again(state: State) -> None:
    saved = Watched(upto=600, open=frozenset({30, 5}), ended=frozenset({700, 610}))
    for to in (Watched(), saved):
        with state.begin() as connection:
            watched.save(connection, to, NOW)
        with state.read() as connection:
            assert watched.load(connection) == to
    with state.read() as connection:
        assert cursors.load(connection, watched.WATCHED) == '{"upto": 600, "open": [5, 30], "ended": [610, 700]}'
