"""Fixtures: a state database for the items of an inbox, and a table of others."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import URL

from janitor import databases
from janitor.state import State
from tests.items.inboxes.orders import Orders, orders_at
from tests.small_engine import lite_state


@pytest.fixture
def state(state_url: URL) -> Iterator[State]:
    """A state database with its tables, without items."""
    made = State(state_url)
    yield made
    made.close()


@pytest.fixture
def small_state(tmp_path: Path) -> Iterator[State]:
    """The same, in a file."""
    made = State(lite_state(tmp_path / "state.db"))
    yield made
    made.close()


@pytest.fixture
def orders(database_url: URL) -> Iterator[Orders]:
    """An empty table of orders, on each kind of server."""
    with orders_at(database_url) as made:
        yield made
        databases.dispose()
