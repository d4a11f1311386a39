"""The settings of databases: how long they may take."""

from pydantic import Field

from janitor.settings.group import SettingsGroup


class DatabaseSettings(SettingsGroup):
    """The limits for every database, be it other people's or the state database."""

    statement_timeout_seconds: float = Field(
        60, allow_inf_nan=False, gt=0, description="how long one statement may take on a warehouse: seconds"
    )
    connect_timeout_seconds: float = Field(
        10, allow_inf_nan=False, gt=0, description="how long connecting to a database or broker may take: seconds"
    )
