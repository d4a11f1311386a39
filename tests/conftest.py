"""Fixtures: real servers, started at the first use, and new databases and exchanges for each test."""

import gc
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from sqlalchemy import URL, Dialect, Engine, event

from janitor.databases.mysql_sessions import connect
from tests import random_inputs
from tests.desk import desk
from tests.fixtures import Exchange, Warehouses
from tests.kinds import left_for_all
from tests.servers import Broker, SqlServer, broker, running, sql_server
from tests.small_engine import DATABASES, empty_state


def is_whole(config: pytest.Config) -> bool:
    """Whether what is marked slow runs too."""
    return any(config.getoption(name) for name in ("--all", "--faults", "--screenshots"))


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options. The short form of the fault suite is part of every run; pictures are made only if asked for."""
    parser.addoption("--faults", action="store_true", help="run the fault suite as a whole, not in its short form")
    parser.addoption("--all", action="store_true", help="run what is marked slow too")
    parser.addoption("--screenshots", action="store_true", help="make the pictures of the dashboard for the README")


def pytest_configure(config: pytest.Config) -> None:
    """Let SIGTERM end the suite as Ctrl-C does: so the servers are stopped. No example has a deadline.

    Whoever starts the suite in the background of a script ignores Ctrl-C, and so would all that the tests start.
    """
    gc.disable()  # until all is collected: it would look through all that is imported again and again
    config.addinivalue_line("markers", "short_form: of the fault suite, left out with --faults")
    config.addinivalue_line("markers", "whole_form: of the fault suite, only with --faults")
    if is_whole(config):
        random_inputs.try_all()
        desk.closed = True
    hypothesis.settings.register_profile("suite", deadline=None, max_examples=random_inputs.inputs(100))
    hypothesis.settings.load_profile("suite")
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.default_int_handler)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what is slow, and what is tried twice, if nobody asks for it."""
    if is_whole(config):
        return
    left = {item for item in items if item.get_closest_marker("slow")}
    if not config.getoption("keyword") and not any("::" in argument for argument in config.args):
        left |= left_for_all(item for item in items if item not in left)
    config.hook.pytest_deselected(items=list(left))
    items[:] = [item for item in items if item not in left]


def pytest_collection_finish(session: pytest.Session) -> None:
    """Keep what the collection has made out of the garbage collector's way from here on."""
    gc.freeze()
    gc.enable()


def pytest_unconfigure(config: pytest.Config) -> None:
    """End the desk that ran verbs."""
    desk.close()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what came of each fault: the lines that tests noted as the property `faults`."""
    reports = [
        report for found in terminalreporter.stats.values() for report in found if hasattr(report, "user_properties")
    ]
    noted = [value for report in reports for name, value in report.user_properties if name == "faults"]
    if noted:
        terminalreporter.section(f"faults, FAULTS_SEED={os.environ.get('FAULTS_SEED', '1')}")
        for line in sorted(set(noted)):
            terminalreporter.write_line(line)


@event.listens_for(Engine, "do_connect")
def connect_lightly(dialect: Dialect, record: object, args: list[Any], options: dict[str, Any]) -> object:
    """Let the engines of tests connect as Janitor does, which has a cursor of its own and says how it connects."""
    if dialect.driver != "pymysql" or "cursorclass" in options:
        return None
    return connect(dialect, record, args, options)


@pytest.fixture(scope="session")
def mariadb_session() -> Iterator[SqlServer]:
    """The database server, while the suite runs."""
    with running(sql_server()) as server:
        yield server


@pytest.fixture
def mariadb(mariadb_session: SqlServer) -> Iterator[SqlServer]:
    """The database server. A test may stop or kill it: it runs again for the next test."""
    yield mariadb_session
    mariadb_session.start()


@pytest.fixture(scope="session")
def rabbitmq_session() -> Iterator[Broker]:
    """The broker, while the suite runs."""
    with running(broker()) as server:
        yield server


@pytest.fixture
def rabbitmq(rabbitmq_session: Broker) -> Iterator[Broker]:
    """The broker. A test may stop or kill it: it runs again for the next test."""
    yield rabbitmq_session
    rabbitmq_session.start()


@pytest.fixture(params=["sqlite", "mariadb"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[URL]:
    """The URL of an empty database, on SQLite and on the server."""
    if request.param == "sqlite":
        yield URL.create("sqlite", database=str(tmp_path / "database.db"))
        return
    server: SqlServer = request.getfixturevalue("mariadb")
    url = server.create_database()
    yield url
    server.start()
    server.drop_database(url.database)


@pytest.fixture
def mariadb_url(mariadb: SqlServer) -> Iterator[URL]:
    """The URL of an empty database on the server."""
    url = mariadb.create_database()
    yield url
    mariadb.drop_database(url.database)


@pytest.fixture(params=["sqlite", "mariadb"])
def warehouses(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Warehouses]:
    """The three warehouses with their tables, empty, on SQLite and on the server."""
    if request.param == "sqlite":
        with Warehouses.in_folder(tmp_path) as made:
            yield made
        return
    with Warehouses.on_server(request.getfixturevalue("mariadb")) as made:
        yield made


@pytest.fixture
def sqlite_warehouses(tmp_path: Path) -> Iterator[Warehouses]:
    """The three warehouses with their tables, empty, on SQLite only."""
    with Warehouses.in_folder(tmp_path) as made:
        yield made


@pytest.fixture
def mariadb_warehouses(mariadb: SqlServer) -> Iterator[Warehouses]:
    """The three warehouses with their tables, empty, on the server only."""
    with Warehouses.on_server(mariadb) as made:
        yield made


@pytest.fixture
def exchange(rabbitmq: Broker) -> Iterator[Exchange]:
    """A durable fanout exchange of this test's own with a durable queue bound to it."""
    made = Exchange(rabbitmq)
    yield made
    rabbitmq.start()
    made.delete()


@pytest.fixture(params=DATABASES)
def state_url(request: pytest.FixtureRequest, tmp_path: Path) -> URL:
    """An empty state database with its tables, on each kind of server."""
    return empty_state(request, tmp_path)
