"""Loading: while a dump is loaded into a server's tables, nobody goes by what is there."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from janitor.errors import JanitorError, Unavailable
from janitor.state import State, loading


@contextmanager
def away(state: State, *instead: str) -> Iterator[None]:
    """Let the table `refusals` have another name for the length of a block, or another table be there instead."""
    if state.engine.dialect.name == "sqlite":
        pytest.skip("a file comes as a whole")
    execute(state, "RENAME TABLE refusals TO away", *instead)
    try:
        yield
    finally:
        execute(state, "DROP TABLE IF EXISTS refusals", "RENAME TABLE away TO refusals")


def execute(state: State, *statements: str) -> None:
    with state.begin() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)


def require_loaded(state: State) -> None:
    with state.read() as connection:
        loading.require_loaded(connection)


def test_a_table_that_was_made_just_now_tells_of_a_load(state: State) -> None:
    with away(state, "CREATE TABLE refusals LIKE away"):
        with pytest.raises(Unavailable, match="is being loaded: this daemon waits until no table has been made for 10"):
            require_loaded(state)


def test_a_table_that_is_not_there_tells_of_a_load(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loading, "SETTLED_SECONDS", 0)
    require_loaded(state)
    with away(state), pytest.raises(JanitorError):
        require_loaded(state)
