"""Loading: while a dump is loaded into a server's tables, nobody goes by what is there."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from janitor.errors import JanitorError, Unavailable
from janitor.state import State, loading


@contextmanager
def changed(state: State, there: str, back: str) -> Iterator[None]:
    """Change a server's tables for the length of a block; a SQLite file comes as a whole."""
    if state.engine.dialect.name == "sqlite":
        pytest.skip("a file comes as a whole")
    with state.begin() as connection:
        connection.exec_driver_sql(there)
    try:
        yield
    finally:
        with state.begin() as connection:
            connection.exec_driver_sql(back)


def require_loaded(state: State) -> None:
    with state.read() as connection:
        loading.require_loaded(connection)


def test_a_table_that_was_made_just_now_tells_of_a_load(state: State) -> None:
    with changed(state, "CREATE TABLE just_now (id INT)", "DROP TABLE just_now"):
        with pytest.raises(Unavailable, match="is being loaded: this daemon waits until no table has been made for 10"):
            require_loaded(state)


def test_a_table_that_is_not_there_tells_of_a_load(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loading, "SETTLED_SECONDS", 0)
    require_loaded(state)
    with changed(state, "RENAME TABLE memories TO away", "RENAME TABLE away TO memories"), pytest.raises(JanitorError):
        require_loaded(state)
