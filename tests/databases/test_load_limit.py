"""The load limit, on a server that really is busy."""

import contextlib
import logging
import threading
import time
from collections.abc import Iterator

import pytest
from sqlalchemy import URL
from sqlalchemy.exc import DBAPIError

from janitor import databases
from janitor.databases import load_limit, wait_while_busy
from janitor.errors import Cancelled, DeadlineExceeded
from janitor.runs import Run, running
from tests.servers import SqlServer

SLEEP = "SELECT SLEEP(60)"


@pytest.fixture(autouse=True)
def closed() -> Iterator[None]:
    yield
    databases.dispose()


@pytest.fixture
def url(mariadb: SqlServer) -> Iterator[URL]:
    made = mariadb.create_database()
    yield made
    mariadb.drop_database(made.database)


@pytest.fixture
def busy(mariadb: SqlServer) -> Iterator[list[threading.Thread]]:
    """Six sessions, each of which keeps one thread of the server running."""

    def doze() -> None:
        with contextlib.suppress(DBAPIError):
            mariadb.execute(SLEEP)

    threads = [threading.Thread(target=doze) for _ in range(6)]
    for thread in threads:
        thread.start()
    end = time.monotonic() + 20
    while len(sleepers(mariadb)) < 6:
        assert time.monotonic() < end
        time.sleep(0.02)
    yield threads
    wake(mariadb)
    for thread in threads:
        thread.join()


def sleepers(server: SqlServer) -> list[int]:
    query = f"SELECT id FROM information_schema.processlist WHERE info = '{SLEEP}'"
    return [row[0] for row in server.execute(query)]


def wake(server: SqlServer) -> None:
    for id in sleepers(server):
        server.execute(f"KILL QUERY {id}")


def test_without_a_limit_no_server_is_asked() -> None:
    nobody = URL.create("mysql+pymysql", "nobody", "", "127.0.0.1", 1, "nothing")
    assert wait_while_busy([nobody], None) == 0.0


def test_a_calm_server_is_not_waited_for(url: URL) -> None:
    assert wait_while_busy([url, url], 50) == 0.0


def test_as_many_threads_as_the_limit_are_no_reason_to_wait(url: URL, monkeypatch: pytest.MonkeyPatch) -> None:
    # The session that asks is one of them: a limit of 1 must let a server through that nobody else uses.
    monkeypatch.setattr(load_limit, "PAUSE_SECONDS", 0.05)
    limit = load_limit._busiest([url])
    assert limit > 0
    with running(Run(deadline=time.monotonic() + 10, timeout_seconds=10)):
        wait_while_busy([url], limit)


def test_sqlite_has_no_threads_to_wait_for() -> None:
    assert wait_while_busy([URL.create("sqlite", database="nowhere.db")], 1) == 0.0


def test_a_busy_server_is_waited_for(
    url: URL,
    mariadb: SqlServer,
    busy: list[threading.Thread],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    monkeypatch.setattr(load_limit, "PAUSE_SECONDS", 0.05)
    assert wait_while_busy([url], 6 + 5) == 0.0
    waited: list[float] = []
    waiting = threading.Thread(target=lambda: waited.append(wait_while_busy([URL.create("sqlite"), url], 5)))
    waiting.start()
    waiting.join(0.5)
    assert waiting.is_alive()
    wake(mariadb)
    waiting.join(20)
    assert waited[0] >= 0.25
    told = [record.getMessage() for record in caplog.records if "over the limit" in record.getMessage()]
    assert len(told) == 1 and "over the limit of 5" in told[0]


def test_a_waiting_run_can_be_stopped(url: URL, busy: list[threading.Thread]) -> None:
    run = Run()
    run.ask_to_stop(Cancelled("asked to stop"))
    with running(run), pytest.raises(Cancelled):
        wait_while_busy([url], 1)
    with running(Run(deadline=time.monotonic() + 0.3, timeout_seconds=0.3)), pytest.raises(DeadlineExceeded):
        wait_while_busy([url], 1)
