"""Connections for statements that may take minutes: an index over millions of rows is one statement.

    what would cut it                                          what is done
    MariaDB's `max_statement_time`, which cuts DDL too         no limit in this session
    MySQL's `max_execution_time`, which cuts a SELECT          no limit in this session
    our socket's own timeout                                   a day
    a firewall, or a proxy, that forgets quiet connections     the system sends a sign of life every 30 s
    a lock of another session on the table                     waited for only some seconds: everybody who wants that
                                                               table waits behind us meanwhile

A server goes on with such a statement after its client has died. The next client then finds it done, or waits for its
lock.
"""

import os
import socket
from typing import Any

import pymysql
from sqlalchemy import URL, Engine, event

from janitor.databases.engines import make_engine
from janitor.databases.limits import Limits
from janitor.databases.logins import Login
from janitor.databases.mysql_sessions import is_mariadb
from janitor.databases.pymysql_private import limit_reading, sockets_of

SECONDS = 24 * 3600.0
"""One statement may take so long."""
LOCK_SECONDS = 5
"""It waits so long for a lock."""
ALIVE_SECONDS, PROBE_SECONDS, PROBES = 30, 10, 6
"""After so many quiet seconds the system asks whether the server is there, and gives it up after so many questions."""


def patient_engine(url: URL, connect_seconds: float, login: Login) -> Engine:
    """An engine for a server, whose statements may take a day."""
    engine = make_engine(url, read_only=False, limits=Limits(SECONDS, connect_seconds), login=login)
    event.listen(engine, "connect", _be_patient)
    return engine


def _be_patient(connection: "pymysql.Connection[Any]", record: Any) -> None:
    limit = "max_statement_time" if is_mariadb(connection) else "max_execution_time"
    with connection.cursor() as cursor:
        cursor.execute(
            f"SET SESSION {limit} = 0, lock_wait_timeout = {LOCK_SECONDS}, innodb_lock_wait_timeout = {LOCK_SECONDS}"
        )
    # The URL may have a shorter one, for all other connections.
    limit_reading(connection, SECONDS)
    for descriptor in sockets_of(connection):
        with socket.socket(fileno=os.dup(descriptor)) as found:
            if found.family != socket.AF_UNIX:
                _send_signs_of_life(found)


def _send_signs_of_life(found: socket.socket) -> None:
    found.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in (
        ("TCP_KEEPIDLE", ALIVE_SECONDS),
        ("TCP_KEEPINTVL", PROBE_SECONDS),
        ("TCP_KEEPCNT", PROBES),
    ):
        if hasattr(socket, name):  # not on every system
            found.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
