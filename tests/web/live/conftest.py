"""The state database that channels read."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from janitor.state import State
from tests.small_engine import empty_state


@pytest.fixture
def state(tmp_path: Path) -> Iterator[State]:
    request: Any = type("Request", (), {"param": "sqlite"})
    made = State(empty_state(request, tmp_path))
    yield made
    made.close()
