"""Sessions with MySQL and MariaDB: strict, in UTC, bounded, and over TLS if the URL says so."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme
from sqlalchemy import URL
from sqlalchemy import text as sql

from janitor import databases
from janitor.checks.encryption import secured_by
from janitor.databases import Limits
from janitor.errors import Rejected, StatementTimeout
from janitor.settings.database_urls import database_url
from tests.databases.numbers_table import SECRET, read_with, refuses, write_with
from tests.servers import MariaDB, SqlServer


def test_sessions_are_strict_and_in_utc(mariadb: SqlServer) -> None:
    url = mariadb.create_database()
    for opened in (databases.read, databases.begin):
        with opened(url) as connection:
            mode, zone = connection.exec_driver_sql("SELECT @@sql_mode, @@time_zone").one()
        assert "STRICT_ALL_TABLES" in mode and "ANSI_QUOTES" not in mode and "NO_BACKSLASH_ESCAPES" not in mode
        assert zone == "+00:00"


def test_a_statement_too_long_for_the_server_is_told(mariadb: SqlServer) -> None:
    """Given a server that takes statements of 1 MiB.

    Statements of up to that size, in bytes, and larger ones are sent. The larger must be refused in words, before they
    are sent, and the connection must go on.
    """
    (before,) = mariadb.execute("SELECT @@GLOBAL.max_allowed_packet")
    mariadb.execute("SET GLOBAL max_allowed_packet = 1048576")
    try:
        with databases.read(mariadb.create_database()) as connection:
            for text, fits in (
                ("x" * 1_040_000, True),
                ("é" * 520_000, True),
                ("é" * 530_000, False),
                ("'" * 600_000, False),
            ):
                if fits:
                    found = connection.execute(sql("SELECT LENGTH(:text)"), {"text": text}).scalar()
                    assert found == len(text.encode())
                    continue
                with pytest.raises(Rejected, match="a statement was too long for .*1,048,576 bytes"):
                    connection.execute(sql("SELECT LENGTH(:text)"), {"text": text})
            assert connection.execute(sql("SELECT 7")).scalar() == 7
    finally:
        mariadb.execute(f"SET GLOBAL max_allowed_packet = {before[0]}")
        databases.dispose()


@pytest.mark.parametrize("packet", [2**20, 2**18])
def test_many_rows_are_sent_in_statements_that_the_server_takes(mariadb: SqlServer, packet: int) -> None:
    # Given: servers that take short statements. What happens: many rows are inserted at once, as the driver joins them.
    # What must hold: they arrive, and a row that is too long by itself is refused in words.
    (before,) = mariadb.execute("SELECT @@GLOBAL.max_allowed_packet")
    mariadb.execute(f"SET GLOBAL max_allowed_packet = {packet}")
    try:
        url = mariadb.create_database()
        write_with(url, "CREATE TABLE words (word LONGTEXT) CHARACTER SET utf8mb4")
        insert, rows = sql("INSERT INTO words VALUES (:word)"), [{"word": "é" * 20_000} for _ in range(40)]
        with databases.begin(url) as connection:
            connection.execute(insert, rows)
            with pytest.raises(Rejected, match=f"a statement was too long for .*{packet:,} bytes"):
                connection.execute(insert, [{"word": "é" * (packet // 2)}, *rows])
            assert connection.execute(sql("SELECT SUM(LENGTH(word)) FROM words")).scalar() == 40 * 40_000
    finally:
        mariadb.execute(f"SET GLOBAL max_allowed_packet = {before[0]}")
        databases.dispose()


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


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"ssl_ca": "CA", "ssl_disabled": "false"}, "certificate and host name verified"),
        ({"ssl_ca": "CA", "ssl_verify_identity": "true"}, "certificate and host name verified"),
        ({"ssl_ca": "CA", "ssl_verify_identity": "no"}, "certificate verified, host name not"),
        ({"ssl_ca": "CA", "ssl_check_hostname": "0", "read_timeout": "5"}, "certificate verified, host name not"),
        ({"ssl_disabled": "false"}, "certificate not verified: give ssl_ca"),
        ({"ssl_verify_cert": "false"}, "certificate not verified: give ssl_ca"),
        ({}, "certificate not verified: give ssl_ca"),
        ({"ssl_disabled": "true"}, "not encrypted (without TLS)"),
    ],
)
def test_options_mean_what_they_say(
    tls_server: tuple[MariaDB, Path], tmp_path: Path, options: dict[str, str], said: str
) -> None:
    # Given: a server with TLS, options as texts, as a URL has them, and a user who need not use TLS.
    # What happens: a session is opened. What must hold: it is encrypted and verified as the options say; and against
    # another CA only what verifies nothing connects.
    server, authority = tls_server
    server.execute("CREATE USER IF NOT EXISTS free IDENTIFIED BY 'free-word'", "GRANT ALL ON mlwh.* TO free")
    trustme.CA().cert_pem.write_to_path(str(tmp_path / "other.pem"))
    plain = server.url("mlwh", "free", "free-word")

    def url(ca: Path) -> URL:
        return plain.update_query_dict({name: value.replace("CA", str(ca)) for name, value in options.items()})

    with databases.read(database_url(url(authority).render_as_string(False))) as connection:
        assert secured_by(connection, url(authority)).endswith(said)
    if "ssl_ca" in options:
        refuses(url(tmp_path / "other.pem"), Rejected, "TLS with ")
    by_name = url(authority).set(host="localhost")
    if "host name verified" in said:
        refuses(by_name, Rejected, "TLS with ")
    else:
        with databases.read(by_name) as connection:
            assert secured_by(connection, by_name).endswith(said)


def test_options_may_shorten_a_limit(mariadb: SqlServer) -> None:
    url = mariadb.create_database().update_query_dict({"read_timeout": "0.4", "connect_timeout": "3"})
    with pytest.raises(StatementTimeout, match="did not answer within the time limit"):
        read_with(url, "SELECT 1 FROM (SELECT 1) AS one WHERE SLEEP(20)")


def test_a_server_without_tls_is_refused(mariadb: SqlServer, tmp_path: Path) -> None:
    if not isinstance(mariadb, MariaDB):
        pytest.skip("the server was given, and may know TLS")
    trustme.CA().cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    url = mariadb.create_database().update_query_dict({"ssl_ca": str(tmp_path / "ca.pem")})
    refuses(url, Rejected, f"TLS with 127.0.0.1:{mariadb.port}/{url.database} failed: ")
    for options in ({"ssl_disabled": "false"}, {"ssl_verify_cert": "false"}, {"ssl_verify_cert": "1"}):
        asked = url.set(query=options)
        refuses(asked, Rejected, f"TLS with 127.0.0.1:{mariadb.port}/{url.database} failed: ")
