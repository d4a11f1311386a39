"""Sessions with MySQL and MariaDB: strict, in UTC, bounded, and over TLS if the URL says so."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from janitor import databases
from janitor.databases import Limits
from janitor.errors import Rejected, StatementTimeout
from tests.databases.numbers_table import SECRET, read_with, refuses
from tests.servers import MariaDB, SqlServer


def test_sessions_are_strict_and_in_utc(mariadb: SqlServer) -> None:
    url = mariadb.create_database()
    for opened in (databases.read, databases.begin):
        with opened(url) as connection:
            mode, zone = connection.exec_driver_sql("SELECT @@sql_mode, @@time_zone").one()
        assert "STRICT_ALL_TABLES" in mode and "ANSI_QUOTES" not in mode and "NO_BACKSLASH_ESCAPES" not in mode
        assert zone == "+00:00"


def test_a_sleeping_statement_is_stopped(mariadb: SqlServer) -> None:
    databases.configure(Limits(statement_seconds=0.5))
    with pytest.raises(StatementTimeout, match="time limit at 127.0.0.1:.* and was stopped"):
        read_with(mariadb.create_database(), "SELECT 1 FROM (SELECT 1) AS one WHERE SLEEP(30)")


@pytest.fixture(scope="module")
def tls_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[MariaDB, Path]]:
    """A server whose user `tls` may only use TLS, and the file of the CA that signed its certificate."""
    folder = tmp_path_factory.mktemp("tls")
    authority = trustme.CA()
    certificate = authority.issue_cert("127.0.0.1")
    authority.cert_pem.write_to_path(str(folder / "ca.pem"))
    certificate.private_key_pem.write_to_path(str(folder / "key.pem"))
    certificate.cert_chain_pems[0].write_to_path(str(folder / "cert.pem"))
    server = MariaDB(f"--ssl-cert={folder / 'cert.pem'}", f"--ssl-key={folder / 'key.pem'}")
    try:
        server.start()
        server.execute(f"CREATE USER tls IDENTIFIED BY '{SECRET}' REQUIRE SSL", "CREATE DATABASE mlwh")
        server.execute("GRANT ALL ON mlwh.* TO tls")
        yield server, folder / "ca.pem"
    finally:
        server.close()


def test_tls_with_a_ca_file(tls_server: tuple[MariaDB, Path]) -> None:
    server, authority = tls_server
    url = server.url("mlwh", "tls", SECRET).update_query_dict({"ssl_ca": str(authority)})
    with databases.read(url) as connection:
        _, cipher = connection.exec_driver_sql("SHOW STATUS LIKE 'Ssl_cipher'").one()
    assert cipher


def test_tls_that_fails_is_told(tls_server: tuple[MariaDB, Path], tmp_path: Path) -> None:
    server, authority = tls_server
    place = f"127.0.0.1:{server.port}/mlwh"
    url = server.url("mlwh", "tls", SECRET)
    trustme.CA().cert_pem.write_to_path(str(tmp_path / "other.pem"))
    other = url.update_query_dict({"ssl_ca": str(tmp_path / "other.pem")})
    missing = url.update_query_dict({"ssl_ca": str(tmp_path / "missing.pem")})
    by_name = url.set(host="localhost").update_query_dict({"ssl_ca": str(authority)})
    refuses(other, Rejected, f"TLS with {place} failed: Can't connect to MySQL server on '127.0.0.1'")
    refuses(missing, Rejected, f"TLS with {place} cannot be set up: ")
    refuses(by_name, Rejected, f"TLS with localhost:{server.port}/mlwh failed: ")


def test_a_server_without_tls_is_refused(mariadb: SqlServer, tmp_path: Path) -> None:
    if not isinstance(mariadb, MariaDB):
        pytest.skip("the server was given, and may know TLS")
    trustme.CA().cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    url = mariadb.create_database().update_query_dict({"ssl_ca": str(tmp_path / "ca.pem")})
    refuses(url, Rejected, f"TLS with 127.0.0.1:{mariadb.port}/{url.database} failed: ")
