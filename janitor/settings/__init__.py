"""Every setting, read once from the environment and `.env`."""

from janitor.settings.settings import Settings

__all__ = [
    "Settings",
]
