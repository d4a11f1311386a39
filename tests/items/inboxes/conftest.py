"""Fixtures: a state database for the items of an inbox."""

from collections.abc import Iterator

import pytest
from sqlalchemy import URL

from janitor.state import State


@pytest.fixture
def state(state_url: URL) -> Iterator[State]:
    """A state database with its tables, without items."""
    made = State(state_url)
    yield made
    made.close()
