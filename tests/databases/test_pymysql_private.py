"""A canary for what we use of PyMySQL's private parts: it fails if PyMySQL changes there."""

import ssl
from typing import Any

import pymysql
import pytest

from janitor.databases.mysql_sessions import connect
from janitor.databases.pymysql_private import limit_reading
from tests.servers import SqlServer


def test_an_open_connection_stops_waiting(mariadb: SqlServer) -> None:
    """Given a connection opened to wait for ever, a server that is silent for 10 s is given up after 0.2 s."""
    host, port = mariadb.admin.host or "", mariadb.admin.port or 3306
    opened = pymysql.connect(host=host, port=port, user=mariadb.admin.username, password=mariadb.admin.password or "")
    limit_reading(opened, 0.2)
    with opened.cursor() as cursor, pytest.raises(pymysql.err.OperationalError, match="timed out"):
        cursor.execute("SELECT SLEEP(10)")


def test_a_connection_that_verifies_nothing_reads_no_certificates(
    mariadb: SqlServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given: a machine whose certificates cannot be read. What happens: connections with and without TLS options.
    # What must hold: only those that verify something read them.
    def unreadable(context: ssl.SSLContext, purpose: object = None) -> None:
        raise OSError("the certificates are read")

    monkeypatch.setattr(ssl.SSLContext, "load_default_certs", unreadable)
    admin = mariadb.admin
    given: dict[str, Any] = {"host": admin.host, "port": admin.port, "user": admin.username}
    given["password"] = admin.password or ""
    opened: Any = connect(None, None, [], given)
    assert opened.open and isinstance(opened.ctx, ssl.SSLContext)
    opened.close()
    with pytest.raises(OSError, match="the certificates are read"):
        connect(None, None, [], given | {"ssl_verify_cert": True})
    with pytest.raises(OSError, match="the certificates are read"):
        pymysql.connect(**given)
