"""The servers of the tests: what they keep when they are killed, and what a missing server says."""

import subprocess
import sys
from pathlib import Path

import pika
import psutil
import pytest
from pika.exceptions import AMQPConnectionError, UnroutableError
from sqlalchemy import create_engine, inspect, make_url
from sqlalchemy.exc import OperationalError

from tests.command_line import ROOT
from tests.fixtures import Exchange, Warehouses
from tests.servers import Broker, SqlServer, running
from tests.servers.lifetime import OwnServer
from tests.servers.process import binary

STARTS = """
import os, sys, tempfile
from pathlib import Path
from tests.servers.process import Process, free_port
port = free_port()
command = [sys.executable, "-m", "http.server", str(port), "--bind", "127.0.0.1"]
server = Process(command, port, Path(tempfile.mkdtemp()) / "log").start()
if not os.fork():
    sys.exit()
os.wait()
print(server.running(), server.process.pid)
"""
PERSISTENT = pika.BasicProperties(delivery_mode=2)


def test_a_database_is_made_and_dropped(mariadb: SqlServer) -> None:
    url = mariadb.create_database()
    with create_engine(url).begin() as connection:
        connection.exec_driver_sql("CREATE TABLE t (n int)")
    mariadb.drop_database(url.database)
    assert mariadb.execute(f"SHOW DATABASES LIKE '{url.database}'") == []


def test_committed_rows_outlive_a_killed_server(mariadb_warehouses: Warehouses, mariadb: SqlServer) -> None:
    with mariadb_warehouses.labwhere.begin() as connection:
        connection.exec_driver_sql("INSERT INTO users (login, created_at, updated_at) VALUES ('ab1', NOW(), NOW())")
    mariadb.kill()
    with pytest.raises(OperationalError), create_engine(mariadb.url()).connect():
        pass
    mariadb.start()
    with mariadb_warehouses.labwhere.connect() as connection:
        assert connection.exec_driver_sql("SELECT login FROM users").scalars().all() == ["ab1"]


def test_a_stopped_server_answers_again_afterwards(mariadb: SqlServer) -> None:
    with mariadb.stopped(), pytest.raises(OperationalError), create_engine(mariadb.url()).connect():
        pass
    assert mariadb.execute("SELECT 41 + 1") == [(42,)]


def test_a_process_that_ends_leaves_the_servers_of_others(mariadb: SqlServer) -> None:
    # Given: a process whose number is a digit in the mark by which mirakuru knows the server. What happens: it ends.
    # What must hold: the server goes on.
    assert isinstance(mariadb, OwnServer)
    digit = next(letter for letter in mariadb.process._uuid if letter in "123456789")
    ends = f"import os, tests.servers.process; os.getpid = lambda: {digit}"
    subprocess.run([sys.executable, "-c", ends], cwd=ROOT, check=True)
    assert mariadb.process.running() and mariadb.execute("SELECT 41 + 1") == [(42,)]


def test_a_server_ends_with_the_process_that_started_it(tmp_path: Path) -> None:
    # Given: a process that starts a server and forks. What happens: the fork ends, then the process.
    # What must hold: the server outlives the fork, and not the process.
    told = subprocess.run([sys.executable, "-c", STARTS], cwd=ROOT, check=True, capture_output=True, text=True)
    running, pid = told.stdout.split()
    assert running == "True" and not psutil.pid_exists(int(pid))


def test_a_given_server_is_never_ended() -> None:
    given = SqlServer(make_url("mysql+pymysql://root@127.0.0.1:1/"))
    for ends in (given.stop, given.kill, given.stopped().__enter__, given.killed().__enter__):
        with pytest.raises(pytest.skip.Exception, match="needs a database server of the suite's own"):
            ends()
    with running(given):
        pass


def test_each_test_has_empty_warehouses_of_its_own(warehouses: Warehouses) -> None:
    assert inspect(warehouses.labwhere).get_table_names() != []
    for engine in (warehouses.labwhere, warehouses.mlwh, warehouses.events):
        with engine.connect() as connection:
            for table in inspect(engine).get_table_names():
                if not table.startswith("sqlite_"):
                    assert connection.exec_driver_sql(f"SELECT COUNT(*) FROM {table}").scalar() == 0


def test_an_exchange_gives_back_what_was_published(exchange: Exchange, rabbitmq: Broker) -> None:
    with rabbitmq.channel() as channel:
        channel.confirm_delivery()
        for text in (b"one", b"two"):
            channel.basic_publish(
                exchange.name, "", text, pika.BasicProperties(delivery_mode=2, message_id=text.decode())
            )
    assert exchange.waiting() == 2
    assert [(message.body, message.properties.message_id) for message in exchange.received()] == [
        (b"one", "one"),
        (b"two", "two"),
    ]
    assert exchange.received() == []


def test_a_message_is_unroutable_once_unbound(exchange: Exchange, rabbitmq: Broker) -> None:
    exchange.unbind()
    with rabbitmq.channel() as channel:
        channel.confirm_delivery()
        with pytest.raises(UnroutableError):
            channel.basic_publish(exchange.name, "", b"lost", mandatory=True)


@pytest.mark.slow
def test_persistent_messages_outlive_a_killed_broker(exchange: Exchange, rabbitmq: Broker) -> None:
    with rabbitmq.channel() as channel:
        channel.confirm_delivery()
        channel.basic_publish(exchange.name, "", b"kept", PERSISTENT)
    rabbitmq.kill()
    with pytest.raises(AMQPConnectionError), rabbitmq.channel():
        pass
    rabbitmq.start()
    assert [message.body for message in exchange.received()] == [b"kept"]


def test_a_missing_server_is_named_with_its_package(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(pytest.fail.Exception, match="needs? Debian's package of-nothing"):
        binary("no-such-server", "of-nothing")
