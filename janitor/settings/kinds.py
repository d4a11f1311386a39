"""The kinds of values that many settings have; each refuses what it cannot take, in words."""

from datetime import date
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BeforeValidator, SecretStr
from sqlalchemy import URL

from janitor.settings.database_urls import database_url
from janitor.settings.secrets import SECRET


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
