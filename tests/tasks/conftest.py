"""A daemon on the warehouses, whose state database was migrated once for all tests."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import URL, create_engine, text

from janitor import databases
from janitor.demo.warehouses import NAMES
from janitor.state import State
from tests.fixtures import Warehouses
from tests.recorded_runs import Daemon
from tests.servers import SqlServer


@pytest.fixture(scope="session")
def migrated_state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A state database that holds nothing."""
    path = tmp_path_factory.mktemp("state") / "state.db"
    state = State(URL.create("sqlite", database=str(path)))
    state.migrate()
    state.close()
    return path


@pytest.fixture(scope="session")
def empty_files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the three warehouses as SQLite files, their tables empty."""
    folder = tmp_path_factory.mktemp("warehouses")
    with Warehouses.in_folder(folder):
        return folder


@pytest.fixture(scope="session")
def kept_databases(mariadb_session: SqlServer) -> Iterator[Warehouses]:
    """The three warehouses on the server, made once; whoever uses them leaves their tables empty."""
    with Warehouses.on_server(mariadb_session) as made:
        yield made


@pytest.fixture
def mariadb_warehouses(kept_databases: Warehouses, mariadb: SqlServer) -> Iterator[Warehouses]:
    """The three warehouses with their tables, empty, on the server only; no test may change a table's definition."""
    yield kept_databases
    mariadb.start()
    databases.dispose()
    for engine in (kept_databases.labwhere, kept_databases.mlwh, kept_databases.events):
        with engine.begin() as connection:
            for (name,) in list(connection.execute(text("SHOW TABLES"))):
                connection.execute(text(f"DELETE FROM `{name}`"))


@pytest.fixture
def sqlite_warehouses(empty_files: Path, tmp_path: Path) -> Iterator[Warehouses]:
    """The three warehouses with their tables, empty, on SQLite only."""
    urls = [URL.create("sqlite", database=str(shutil.copy(file, tmp_path))) for file in files_of(empty_files)]
    engines = [create_engine(url) for url in urls]
    labwhere, mlwh, events = engines
    yield Warehouses(labwhere, mlwh, events)
    databases.dispose()
    for engine in engines:
        engine.dispose()


def files_of(folder: Path) -> list[Path]:
    """The files of the three warehouses, in the order of their names' list."""
    return [folder / f"{name}.db" for name in NAMES]


@pytest.fixture(params=["sqlite", "mariadb"])
def warehouses(request: pytest.FixtureRequest) -> Warehouses:
    """The three warehouses with their tables, empty, on SQLite and on the server; see `mariadb_warehouses`."""
    made: Warehouses = request.getfixturevalue(f"{request.param}_warehouses")
    return made


@pytest.fixture
def own_databases(mariadb: SqlServer) -> Iterator[Warehouses]:
    """The three warehouses on the server for this test alone, to be spoiled as it likes."""
    with Warehouses.on_server(mariadb) as made:
        yield made


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
