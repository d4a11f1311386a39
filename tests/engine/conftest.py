"""State databases and runners for the engine's tests."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import URL

from janitor.engine.runner import Runner
from janitor.scheduler import Scheduler
from tests.small_engine import DATABASES, empty_state, runner_for, settings_for


@pytest.fixture(params=DATABASES)
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> URL:
    """A state database with its tables; here no test has a use for a database without tables."""
    return empty_state(request, tmp_path)


@pytest.fixture
def runner(database_url: URL, tmp_path: Path) -> Iterator[Runner]:
    """A runner that leads, on each kind of state database."""
    with runner_for(settings_for(database_url, tmp_path)) as made:
        yield made


@pytest.fixture
def lite_url(tmp_path: Path) -> URL:
    """SQLite, for what has nothing to do with the kind of state database."""
    return URL.create("sqlite", database=str(tmp_path / "state.db"))


@pytest.fixture
def lite(lite_url: URL, tmp_path: Path) -> Iterator[Runner]:
    """A runner that leads, on SQLite."""
    with runner_for(settings_for(lite_url, tmp_path)) as made:
        yield made


@pytest.fixture
def follower(database_url: URL, tmp_path: Path) -> Iterator[Runner]:
    """A runner that does not lead yet, and whose leases last a second."""
    with runner_for(settings_for(database_url, tmp_path, LEASE_SECONDS="1"), leads=False) as made:
        yield made


@pytest.fixture
def lite_follower(lite_url: URL, tmp_path: Path) -> Iterator[Runner]:
    """The same on SQLite."""
    with runner_for(settings_for(lite_url, tmp_path, LEASE_SECONDS="1"), leads=False) as made:
        yield made


@pytest.fixture
def starting(lite_url: URL, tmp_path: Path) -> Iterator[Runner]:
    """A runner on SQLite whose daemon is not started yet."""
    with runner_for(settings_for(lite_url, tmp_path), leads=False) as made:
        yield made


@pytest.fixture
def clock(starting: Runner) -> Scheduler:
    """The clock of that daemon, without jobs."""
    return Scheduler(starting.settings)
