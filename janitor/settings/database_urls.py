"""Database URLs: read, and refused if a part of one may be a part of its password.

    mysql+pymysql://user:p@ss/w0rd@host:3306/name     the driver would take `ss` for the host

An `@` in a password ends it too early. What follows then cannot be a host, a port or a database, and is refused. No
error repeats anything of a URL.
"""

import re

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError

from janitor.settings.database_options import options_of

URL_HELP = "give a URL such as mysql+pymysql://user:password@host:3306/name or sqlite:///path/to/file.db"
ESCAPES = "in a user or a password, write @ as %40, : as %3A, / as %2F, # as %23 and ? as %3F"

_HOST = re.compile(r"[\w.-]+|[0-9A-Fa-f:.]+(%\w+)?")
_DATABASE = re.compile(r"[^@:/#?\\\s]+")
_AFTER_USER = re.compile(r"[^:/]*://(?:[^:/]*(?::[^@]*)?@)?(.*)", re.DOTALL)


def database_url(value: object) -> URL:
    """Read a database URL; no error repeats the value, as it may hold a password.

    Raises:
        ValueError: Janitor cannot connect with it; the text says why.
    """
    url = value if isinstance(value, URL) else _parsed(str(value).strip())
    try:
        driver = url.get_dialect().driver
    except (NoSuchModuleError, ArgumentError):
        raise ValueError(f"its driver is unknown; {URL_HELP}") from None
    if driver not in ("pymysql", "pysqlite"):
        raise ValueError(f"the driver {url.drivername!r} is not one of mysql+pymysql and sqlite; {URL_HELP}")
    _check_sqlite(url) if driver == "pysqlite" else _check_server(url)
    try:
        options_of(url)
    except ValueError as exc:
        raise ValueError(f"{exc}; {URL_HELP}") from None
    return url


def _parsed(text: str) -> URL:
    try:
        url = make_url(text)
    except ArgumentError:
        raise ValueError(f"it is not a database URL; {URL_HELP}") from None
    except ValueError:
        raise ValueError(f"its host or port cannot be read: {ESCAPES}; {URL_HELP}") from None
    after = _AFTER_USER.match(text)
    if after and "@" in after[1] and not url.drivername.startswith("sqlite"):
        raise ValueError(f"its host, port or database cannot be right: {ESCAPES}; {URL_HELP}")
    # The parser drops such an option: a URL with an empty ssl_ca would connect without TLS.
    options = (after[1] if after else text).partition("?")[2]
    if any(option and not option.partition("=")[2] for option in options.split("&")):
        raise ValueError(f"an option after its '?' has no value; {URL_HELP}")
    return url


def _check_server(url: URL) -> None:
    if not url.host or not url.database:
        raise ValueError(f"it names no host or no database; {URL_HELP}")
    port_can_be = url.port is None or 0 < url.port <= 65_535
    if not _HOST.fullmatch(url.host) or not _DATABASE.fullmatch(url.database) or not port_can_be:
        raise ValueError(f"its host, port or database cannot be right: {ESCAPES}; {URL_HELP}")


def _check_sqlite(url: URL) -> None:
    if url.host or url.username or url.port:
        right = "sqlite:///var/x.db is a path from here, sqlite:////var/x.db a path from the root"
        raise ValueError(f"it names a host, and a file has none: a path begins after the third slash; {right}")
    if url.database in (None, "", ":memory:"):
        raise ValueError(f"it names no file; {URL_HELP}")
