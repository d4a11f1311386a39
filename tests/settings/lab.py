"""A task's settings, as a task declares them, and the settings that variables give or refuse."""

from typing import Literal

import pytest
from pydantic import Field

from janitor.errors import BadSetting
from janitor.settings import DatabaseUrl, Day, Secret, Settings, SettingsGroup, Zone

SECRET = "s3cret/pass@word"
QUOTED = "s3cret%2Fpass%40word"


class LabSettings(SettingsGroup):
    """One setting of each kind."""

    lab_database_url: DatabaseUrl | None = Field(None, description="the lab: a database URL")
    lab_timezone: Zone | None = Field(None, description="the lab's zone: a tz name")
    lab_since: Day | None = Field(None, description="the first day: YYYY-MM-DD")
    lab_encoding: Literal["binary", "json"] = Field("binary", description="binary or json")
    lab_group_size: int = Field(100, ge=1, description="rows confirmed together: rows")
    lab_pass: Secret | None = Field(None, description="the lab's word")


def load(**environ: str) -> Settings:
    """The settings of the house and of the lab, from these variables alone."""
    return Settings.load(environ, dotenv=None, of_tasks=[LabSettings])


def refused(**environ: str) -> str:
    """The sentence with which a value is refused."""
    with pytest.raises(BadSetting) as caught:
        load(**environ)
    assert "\n" not in str(caught.value)
    return str(caught.value)
