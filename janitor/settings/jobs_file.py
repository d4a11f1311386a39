"""The setting of the jobs file."""

from pathlib import Path

from pydantic import Field

from janitor.settings.group import SettingsGroup


class JobsFileSettings(SettingsGroup):
    """Where the jobs are that are described in YAML."""

    jobs_file: Path | None = Field(None, description="jobs described in YAML, besides those of run.py: a path")
