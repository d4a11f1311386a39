"""Failover: the name of a server leads to its copy, and the server itself takes no more writes.

the name --> old          daemon, writer and checker reach the old server by the name
old is read-only          the daemon's runs fail; the writer is an administrator, and goes on a little
new is a copy of old
the name --> new          connections that were open still lead to old: nobody has closed them
"""

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import pymysql

from tests.faults.fault import A_SECOND
from tests.faults.house import House
from tests.faults.proxy import Proxy
from tests.servers import SqlServer

READ_ONLY_SECONDS = 2.0
"""How long the old server is read-only before the name leads to the new server: long enough for a few runs."""


@dataclass
class Name:
    """The name of a server: it leads to `old`, and later to `new`; `server` is what it leads to."""

    proxy: Proxy
    old: SqlServer
    new: SqlServer
    cleaning: ExitStack

    @property
    def server(self) -> SqlServer:
        """Whatever server the name leads to."""
        return SqlServer(self.old.admin.set(host="127.0.0.1", port=self.proxy.port))

    @contextmanager
    def failed_over(self, house: House) -> Iterator[None]:
        """Let the old server be read-only for a while, then move a house's databases and the name to the new server."""
        self.cleaning.callback(self.old.execute, "SET GLOBAL read_only = 0")
        self.old.execute("SET GLOBAL read_only = 1")
        time.sleep(READ_ONLY_SECONDS)
        house.writer.finish()
        for database in house.databases:
            self.cleaning.callback(self.old.drop_database, database)
            copy(self.old, self.new, database)
        self.proxy.lead_to(str(self.new.admin.host), int(self.new.admin.port or 3306))
        house.hang_up()
        house.writer.start(a_second=A_SECOND)
        yield


@contextmanager
def named(old: SqlServer, new: SqlServer) -> Iterator[Name]:
    """Give a name that leads to `old`. After the block, `old` is as it was."""
    with Proxy(str(old.admin.host), int(old.admin.port or 3306)) as proxy, ExitStack() as cleaning:
        yield Name(proxy, old, new, cleaning)


def copy(old: SqlServer, new: SqlServer, database: str) -> None:
    """Copy a database with all tables and rows."""
    with connected(old) as source, connected(new) as target:
        target.execute(f"CREATE DATABASE `{database}` CHARACTER SET utf8mb4")
        target.execute("SET foreign_key_checks = 0")
        for cursor in (source, target):
            cursor.execute(f"USE `{database}`")
        source.execute("SHOW TABLES")
        for [table] in source.fetchall():
            source.execute(f"SHOW CREATE TABLE `{table}`")
            target.execute(source.fetchall()[0][1])
            source.execute(f"SELECT * FROM `{table}`")
            places = ", ".join(["%s"] * len(source.description))
            target.executemany(f"INSERT INTO `{table}` VALUES ({places})", source.fetchall())


@contextmanager
def connected(server: SqlServer) -> Iterator[Any]:
    """Give a cursor for the administrator, whatever the server's name leads to; each statement commits."""
    url = server.admin
    with pymysql.connect(
        host=url.host, port=url.port or 3306, user=url.username, password=url.password or "", autocommit=True
    ) as connection:
        yield connection.cursor()
