"""A state database of each kind, empty."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from janitor.state import State
from tests.small_engine import DATABASES, empty_state


@pytest.fixture(params=DATABASES)
def state(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[State]:
    made = State(empty_state(request, tmp_path))
    yield made
    made.close()
