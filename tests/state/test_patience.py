"""Statements that may take long: nothing cuts them, and they wait for no lock for long."""

import re
import time
from collections.abc import Iterator

import pytest
from sqlalchemy import URL, Engine, text

from janitor.databases.engines import make_engine
from janitor.databases.limits import Limits
from janitor.databases.logins import as_given
from janitor.errors import StatementTimeout
from janitor.state import patience
from janitor.state.patience import patient_engine
from tests.servers import SqlServer

LONG = text("SELECT SLEEP(0.6)")


@pytest.fixture
def patient(mariadb_url: URL) -> Iterator[Engine]:
    made = patient_engine(mariadb_url.update_query_dict({"read_timeout": "1"}), 5.0, as_given)
    yield made
    made.dispose()


@pytest.fixture
def cutting(mariadb: SqlServer) -> Iterator[SqlServer]:
    """A server that cuts each statement after a short time."""
    mariadb.execute("SET GLOBAL max_statement_time = 0.3")
    yield mariadb
    mariadb.execute("SET GLOBAL max_statement_time = 0")


def test_a_server_that_cuts_statements_does_not_cut_these(
    cutting: SqlServer, patient: Engine, mariadb_url: URL
) -> None:
    usual = make_engine(mariadb_url, read_only=False, limits=Limits(10, 5))
    with usual.connect() as connection, pytest.raises(StatementTimeout, match="ran over its time limit"):
        connection.execute(LONG)
    with patient.connect() as connection:
        assert connection.execute(LONG).scalar() == 0
    usual.dispose()


def test_a_url_with_a_short_timeout_does_not_cut_them(patient: Engine) -> None:
    with patient.connect() as connection:
        assert connection.execute(text("SELECT SLEEP(1.2)")).scalar() == 0


def test_they_wait_for_no_lock_for_long(
    mariadb: SqlServer, mariadb_url: URL, monkeypatch: pytest.MonkeyPatch, patient: Engine
) -> None:
    # Given a table that a transaction has read. A column is to be added. All who come later wait behind that.
    monkeypatch.setattr(patience, "LOCK_SECONDS", 1)
    mariadb.execute(f"CREATE TABLE `{mariadb_url.database}`.held (id INT)")
    holding = make_engine(mariadb_url, read_only=False, limits=Limits(10, 5))
    with holding.connect() as holder, patient.connect() as connection:
        holder.execute(text("SELECT * FROM held"))
        began = time.monotonic()
        with pytest.raises(StatementTimeout, match="waited too long for a lock"):
            connection.execute(text("ALTER TABLE held ADD COLUMN name INT"))
        assert time.monotonic() - began < patience.SECONDS / 1000
        connection.rollback()
        holder.rollback()
        connection.execute(text("ALTER TABLE held ADD COLUMN name INT"))
    holding.dispose()


def test_the_system_looks_whether_a_quiet_server_is_there(patient: Engine, mariadb: SqlServer) -> None:
    with patient.connect() as connection:
        connection.execute(text("SELECT 1"))
        port = int(str(mariadb.admin.port))
        with open("/proc/net/tcp", encoding="ascii") as table:
            lines = [line.split() for line in table if f":{port:04X} 01" in line]
    # The timer 2 is that of a connection that is kept alive: it goes off within so many hundredths of a second.
    timers = [line[5] for line in lines if re.fullmatch(r"02:[0-9A-F]{8}", line[5])]
    assert any(int(timer[3:], 16) <= patience.ALIVE_SECONDS * 100 for timer in timers)
