"""A lab at work on three small warehouses."""

from collections.abc import Iterator

import pytest

from janitor import databases
from janitor.demo.lab import SimulatedLab
from tests.demo.at_work import at_work
from tests.fixtures import Warehouses


@pytest.fixture
def lab(sqlite_warehouses: Warehouses) -> Iterator[SimulatedLab]:
    """Give a lab on SQLite."""
    yield at_work(sqlite_warehouses)
    databases.dispose()
