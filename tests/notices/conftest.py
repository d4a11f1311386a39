"""Fixtures: a house to watch, on SQLite or on both kinds of server."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.notices.house import House
from tests.small_engine import DATABASES, empty_state, runner_for, settings_for


@pytest.fixture(params=["sqlite"])
def house(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[House]:
    """Give a house on SQLite; its daemon leads."""
    with runner_for(settings_for(empty_state(request, tmp_path), tmp_path)) as runner:
        yield House(runner)


@pytest.fixture(params=DATABASES)
def any_house(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[House]:
    """Give a house on SQLite, and on the server; its daemon leads."""
    with runner_for(settings_for(empty_state(request, tmp_path), tmp_path)) as runner:
        yield House(runner)
