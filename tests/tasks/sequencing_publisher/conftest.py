"""Warehouses and a consumer of its own for the tests of sequencing_publisher."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.fixtures import Exchange, Warehouses
from tests.recorded_runs import Daemon
from tests.tasks.sequencing_publisher.warehouse import Warehouse

MakeDaemon = Callable[..., Daemon]


def began() -> datetime:
    """Two days ago, as the database writes it: well within reconcile's window."""
    return (datetime.now(UTC) - timedelta(days=2)).replace(tzinfo=None, microsecond=0)


@pytest.fixture
def warehouse(warehouses: Warehouses) -> Warehouse:
    """MLWH and MLWH Events, empty but for their dictionaries, on SQLite and on the server."""
    return Warehouse(warehouses, began())


@pytest.fixture
def messages_dir(tmp_path: Path) -> Path:
    """Where messages go without a broker."""
    return tmp_path / "messages"


@pytest.fixture
def made_daemons() -> Iterator[list[Daemon]]:
    """Those to be closed."""
    made: list[Daemon] = []
    yield made
    for daemon in made:
        daemon.close()


@pytest.fixture
def to_files(warehouses: Warehouses, state_folder: Path, messages_dir: Path, made_daemons: list[Daemon]) -> MakeDaemon:
    """Makes a daemon that publishes every status there is into files, with the settings given besides."""

    def make(**settings: str) -> Daemon:
        base = {"MESSAGES_DIR": str(messages_dir), "SEQUENCING_PUBLISHER_SINCE": "2000-01-01"}
        made_daemons.append(Daemon(warehouses.environment() | base | settings, state_folder))
        return made_daemons[-1]

    return make


@pytest.fixture
def to_exchange(
    warehouses: Warehouses, state_folder: Path, exchange: Exchange, made_daemons: list[Daemon]
) -> MakeDaemon:
    """Makes a daemon that publishes every status there is to the exchange, with the settings given besides."""

    def make(**settings: str) -> Daemon:
        environment = {
            **warehouses.environment(),
            **exchange.broker.environment(),
            "SEQUENCING_PUBLISHER_EXCHANGE": exchange.name,
            "SEQUENCING_PUBLISHER_SINCE": "2000-01-01",
            "CONNECT_TIMEOUT_SECONDS": "5",
            **settings,
        }
        made_daemons.append(Daemon(environment, state_folder))
        return made_daemons[-1]

    return make
