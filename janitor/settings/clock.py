"""The settings of the clock: its zone, its sign of life, and its end."""

from pathlib import Path
from zoneinfo import ZoneInfo

from pydantic import Field

from janitor.settings.group import SettingsGroup
from janitor.settings.kinds import Zone


class ClockSettings(SettingsGroup):
    """How the clock reads schedules, shows that it ticks, and stops."""

    runs_at_once: int = Field(
        64, ge=1, description="how many due runs have a thread at the same moment, the rest wait in order: runs"
    )
    grace_seconds: float = Field(
        25, allow_inf_nan=False, ge=0, description="how long running tasks may take to stop after SIGTERM: seconds"
    )
    heartbeat_file: Path = Field(
        Path("var/heartbeat"), description="touched by the clock at least every 5 s; `health` looks at its age: a path"
    )
    schedule_timezone: Zone = Field(ZoneInfo("UTC"), description="the zone of cron schedules: a tz name")
