"""The settings of the state database: where it is, and how long it keeps things."""

from pydantic import Field
from sqlalchemy import make_url

from janitor.settings.group import SettingsGroup
from janitor.settings.kinds import DatabaseUrl


class StateSettings(SettingsGroup):
    """Where Janitor remembers, for how long, and how leases in it end."""

    state_database_url: DatabaseUrl = Field(
        make_url("sqlite:///var/janitor.db"), description="Janitor's own memory: a database URL (SQLite or MySQL)"
    )
    history_days: int = Field(365, ge=1, description="how long a run is kept in the history: days")
    history_runs: int = Field(10_000, ge=1, description="how many runs of each job are kept in the history: runs")
    actions_days: int = Field(730, ge=1, description="how long it is kept who did what to jobs, runs and rows: days")
    lease_seconds: float = Field(
        30,
        allow_inf_nan=False,
        ge=1,
        le=60,
        description="after how long without a sign of life a stand-by takes over: seconds, 1 to 60",
    )
