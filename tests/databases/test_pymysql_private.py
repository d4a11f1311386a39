"""A canary for what we use of PyMySQL's private parts: it fails if PyMySQL changes there."""

import pymysql
import pytest

from janitor.databases.pymysql_private import limit_reading
from tests.servers import SqlServer


def test_an_open_connection_stops_waiting(mariadb: SqlServer) -> None:
    """Given a connection opened to wait for ever, a server that is silent for 10 s is given up after 0.2 s."""
    host, port = mariadb.admin.host or "", mariadb.admin.port or 3306
    opened = pymysql.connect(host=host, port=port, user=mariadb.admin.username, password=mariadb.admin.password or "")
    limit_reading(opened, 0.2)
    with opened.cursor() as cursor, pytest.raises(pymysql.err.OperationalError, match="timed out"):
        cursor.execute("SELECT SLEEP(10)")
