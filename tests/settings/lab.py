"""A task's settings, as a task declares them."""

from typing import Literal

from pydantic import Field

from janitor.settings import DatabaseUrl, Day, Secret, SettingsGroup, Zone


class LabSettings(SettingsGroup):
    """One setting of each kind."""

    lab_database_url: DatabaseUrl | None = Field(None, description="the lab: a database URL")
    lab_timezone: Zone | None = Field(None, description="the lab's zone: a tz name")
    lab_since: Day | None = Field(None, description="the first day: YYYY-MM-DD")
    lab_encoding: Literal["binary", "json"] = Field("binary", description="binary or json")
    lab_group_size: int = Field(100, ge=1, description="rows confirmed together: rows")
    lab_pass: Secret | None = Field(None, description="the lab's word")
