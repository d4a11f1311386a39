"""Every setting, read once from the environment and `.env`: the house's settings, and the tasks' settings."""

from janitor.settings.group import SettingsGroup
from janitor.settings.kinds import DatabaseUrl, Day, Secret, Zone
from janitor.settings.settings import Settings

__all__ = [
    "DatabaseUrl",
    "Day",
    "Secret",
    "Settings",
    "SettingsGroup",
    "Zone",
]
