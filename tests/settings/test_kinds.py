"""Kinds of values: what each takes, and what it says of a value that it refuses."""

from datetime import date
from zoneinfo import ZoneInfo

import pytest
from pydantic import TypeAdapter, ValidationError

from janitor.settings.kinds import Day, Zone


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
