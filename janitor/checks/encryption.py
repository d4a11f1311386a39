"""Whether a connection is encrypted, and whether the other side is who it says: in words."""

from typing import Any

from sqlalchemy import URL, Connection, text

from janitor import databases
from janitor.databases.mysql_tls import tls_of_url
from janitor.settings.settings import Settings


def secured_by(connection: Connection, url: URL) -> str:
    """How a connection to the server of a URL is secured."""
    # In a session of MariaDB this is the only sure sign of TLS; a tunnel does not show here.
    cipher: Any = connection.execute(text("SHOW SESSION STATUS LIKE 'Ssl_cipher'")).one_or_none()
    if not cipher or not cipher[1]:
        return "not encrypted (without TLS)"
    return f"encrypted with TLS ({cipher[1]}), {tls_of_url(url)}"


def state_secured_by(settings: Settings) -> str:
    """How the connection to the state database is secured, behind a comma; empty for a file."""
    url = settings.state_database_url
    if databases.family(url) == "sqlite":
        return ""
    with databases.read(url) as connection:
        return f", {secured_by(connection, url)}"


def broker_secured_by(settings: Settings) -> str:
    """How the connection to the broker is secured."""
    if not settings.rabbitmq_tls:
        return "not encrypted (without TLS)"
    return "encrypted with TLS, certificate and host name verified"
