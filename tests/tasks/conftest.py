"""A daemon on the warehouses, whose state database was migrated once for all tests."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import URL

from janitor.state import State
from tests.fixtures import Warehouses
from tests.runs import Daemon


@pytest.fixture(scope="session")
def migrated_state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A state database that holds nothing."""
    path = tmp_path_factory.mktemp("state") / "state.db"
    state = State(URL.create("sqlite", database=str(path)))
    state.migrate()
    state.close()
    return path


@pytest.fixture
def state_folder(tmp_path: Path, migrated_state: Path) -> Path:
    """A folder for a daemon, with its state database in it."""
    shutil.copy(migrated_state, tmp_path / "state.db")
    return tmp_path


@pytest.fixture
def daemon(warehouses: Warehouses, state_folder: Path) -> Iterator[Daemon]:
    """A daemon on the warehouses, without a broker."""
    made = Daemon(warehouses.environment(), state_folder)
    yield made
    made.close()
