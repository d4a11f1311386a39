"""MariaDB and RabbitMQ for the tests: started on free loopback ports in folders of their own, or given by URL."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import pika
import pytest
from sqlalchemy import make_url

from tests.servers.lifetime import Server
from tests.servers.process import free_port
from tests.servers.rabbitmq import Broker, RabbitMQ
from tests.servers.sql import MariaDB, MySQL, SqlServer

__all__ = [
    "Broker",
    "MariaDB",
    "MySQL",
    "RabbitMQ",
    "SqlServer",
    "broker",
    "free_port",
    "running",
    "second_sql_server",
    "sql_server",
]


def sql_server() -> SqlServer:
    """Return the server that JANITOR_TEST_MYSQL_URL names (as its administrator), or a new server, not yet started.

    The new server is MySQL if JANITOR_TEST_MYSQL_ROOT names the folder that tests/get_mysql.sh made, else MariaDB.
    """
    given, root = os.environ.get("JANITOR_TEST_MYSQL_URL"), os.environ.get("JANITOR_TEST_MYSQL_ROOT")
    if given:
        return SqlServer(make_url(given))
    return MySQL(Path(root)) if root else MariaDB()


@contextmanager
def second_sql_server() -> Iterator[SqlServer]:
    """A running server beside the suite's; the test is skipped if a person gave the suite its server."""
    made = sql_server()
    if not isinstance(made, MariaDB):
        pytest.skip("a second server is the suite's own")
    with running(made) as server:
        yield server


def broker() -> Broker:
    """Return the server that JANITOR_TEST_RABBITMQ_URL (amqp://...) names, or a new RabbitMQ, not yet started."""
    given = os.environ.get("JANITOR_TEST_RABBITMQ_URL")
    if not given:
        return RabbitMQ()
    parameters = pika.URLParameters(given)
    user = make_url(given)
    return Broker(parameters, user.username or "guest", user.password or "guest")


AnyServer = TypeVar("AnyServer", bound=Server)


@contextmanager
def running(server: AnyServer) -> Iterator[AnyServer]:
    """Start a server during a block. After the block it is gone, if it is the suite's own."""
    try:
        server.start()
        yield server
    finally:
        server.close()
