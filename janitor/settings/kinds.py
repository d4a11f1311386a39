"""The kinds of values that many settings have; each refuses what it cannot take, in words."""

import inspect
from datetime import date
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import pymysql
from pydantic import BeforeValidator, SecretStr
from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError

from janitor.settings.secrets import SECRET

URL_HELP = "give a URL such as mysql+pymysql://user:password@host:3306/name or sqlite:///path/to/file.db"


def database_url(value: object) -> URL:
    """Read a database URL; no error repeats the value, as it may hold a password.

    Raises:
        ValueError: Janitor cannot connect with it; the text says why.
    """
    try:
        url = value if isinstance(value, URL) else make_url(str(value))
        driver = url.get_dialect().driver
    except NoSuchModuleError as exc:
        raise ValueError(f"its driver is unknown; {URL_HELP}") from exc
    except ArgumentError as exc:
        raise ValueError(f"it is not a database URL; {URL_HELP}") from exc
    except ValueError as exc:
        raise ValueError(f"its host or port cannot be read; {URL_HELP}") from exc
    if driver not in ("pymysql", "pysqlite"):
        raise ValueError(f"the driver {url.drivername!r} is not one of mysql+pymysql and sqlite; {URL_HELP}")
    if url.database in (None, "", ":memory:") or (driver == "pymysql" and not url.host):
        raise ValueError(f"it names no {'file' if driver == 'pysqlite' else 'host or no database'}; {URL_HELP}")
    _check_options(url)
    return url


def _check_options(url: URL) -> None:
    """Refuse an option that the driver does not know: the driver would say so only when it connects."""
    dialect = url.get_dialect()()
    try:
        _, options = dialect.create_connect_args(url)
    except (ValueError, TypeError, ArgumentError) as exc:
        raise ValueError(f"an option after its '?' is malformed; {URL_HELP}") from exc
    known = inspect.signature(pymysql.connections.Connection).parameters
    unknown = sorted(set(options) - set(known)) if dialect.driver == "pymysql" else []
    if unknown:
        raise ValueError(f"the driver has no option {', '.join(unknown)}; {URL_HELP}")


def _zone(value: object) -> ZoneInfo:
    try:
        return value if isinstance(value, ZoneInfo) else ZoneInfo(str(value))
    except (ZoneInfoNotFoundError, ValueError, OSError) as exc:
        raise ValueError("give a zone of the tz database such as UTC or Europe/London") from exc


def _day(value: object) -> date:
    try:
        return value if isinstance(value, date) else date.fromisoformat(str(value))
    except ValueError as exc:
        raise ValueError("give a day as YYYY-MM-DD, such as 2023-08-21") from exc


DatabaseUrl = Annotated[URL, BeforeValidator(database_url), SECRET]
Secret = Annotated[SecretStr, SECRET]
Zone = Annotated[ZoneInfo, BeforeValidator(_zone)]
Day = Annotated[date, BeforeValidator(_day)]
