"""Kinds of values: what each takes, and what it says of a value that it refuses."""

from datetime import date
from zoneinfo import ZoneInfo

import pytest
from pydantic import TypeAdapter, ValidationError
from sqlalchemy import make_url

from janitor.settings.kinds import Day, Zone, database_url
from tests.settings.lab import QUOTED, SECRET, refused


@pytest.mark.parametrize(
    "text",
    [
        f"mysql+pymysql://me:{QUOTED}@db:3307/mlwh?ssl_ca=/ca.pem&connect_timeout=5",
        "mysql+pymysql://me@db/mlwh",
        "sqlite:////var/lib/janitor/state.db",
        "sqlite:///state.db?timeout=5",
    ],
)
def test_a_url_that_the_driver_knows_is_taken(text: str) -> None:
    assert database_url(text) == make_url(text) == database_url(make_url(text))


@pytest.mark.parametrize(
    ("value", "right"),
    [
        (f"me:{SECRET}", "not a database URL"),
        (f"mysql+pymysql://me:{QUOTED}@db:port/mlwh", "host or port"),
        (f"mysql://me:{QUOTED}@db/mlwh", "not one of mysql+pymysql and sqlite"),
        (f"postgresql://me:{QUOTED}@db/mlwh", "not one of mysql+pymysql and sqlite"),
        (f"oracel://me:{QUOTED}@db/mlwh", "driver is unknown"),
        (f"mysql+pymysql://me:{QUOTED}@db", "names no host or no database"),
        (f"mysql+pymysql://me:{QUOTED}@/mlwh", "names no host or no database"),
        (f"mysql+pymysql://me:{QUOTED}@db/mlwh?ssl-ca=x", "no option ssl-ca"),
        (f"mysql+pymysql://me:{QUOTED}@db/mlwh?connect_timeout=soon", "malformed"),
        ("sqlite://", "names no file"),
    ],
)
def test_a_bad_url_is_refused_without_its_password(value: str, right: str) -> None:
    text = refused(LAB_DATABASE_URL=value)
    assert text.startswith("LAB_DATABASE_URL is ")
    assert right in text and "mysql+pymysql://user:password@host:3306/name" in text
    assert SECRET not in text and QUOTED not in text


def test_a_day_and_a_zone_are_taken_as_text_or_as_they_are() -> None:
    day, zone = TypeAdapter[date](Day), TypeAdapter[ZoneInfo](Zone)
    assert day.validate_python("2023-08-21") == day.validate_python(date(2023, 8, 21)) == date(2023, 8, 21)
    assert zone.validate_python("Asia/Kathmandu") == zone.validate_python(ZoneInfo("Asia/Kathmandu"))


@pytest.mark.parametrize("text", ["", "Europe/Lundun", "../etc/passwd", "a\x00b", "/etc/passwd", "Europe"])
def test_what_is_no_zone_is_refused(text: str) -> None:
    with pytest.raises(ValidationError, match="give a zone of the tz database such as UTC or Europe/London"):
        TypeAdapter[ZoneInfo](Zone).validate_python(text)


@pytest.mark.parametrize("text", ["", "21/08/2023", "2023-02-30", "yesterday"])
def test_what_is_no_day_is_refused(text: str) -> None:
    with pytest.raises(ValidationError, match="give a day as YYYY-MM-DD, such as 2023-08-21"):
        TypeAdapter[date](Day).validate_python(text)
