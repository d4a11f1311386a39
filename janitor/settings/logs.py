"""The settings of logs: what is logged, in which form, and how long it is kept."""

from typing import Literal

from pydantic import Field

from janitor.settings.group import SettingsGroup


class LogSettings(SettingsGroup):
    """The lines on stdout, and the same lines kept with their runs."""

    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        "INFO", description="the least level that is logged: DEBUG, INFO, WARNING or ERROR"
    )
    log_debug_days: int = Field(15, ge=1, description="how long lines of level debug are kept with their runs: days")
    log_info_days: int = Field(30, ge=1, description="the same for level info: days")
    log_warning_days: int = Field(90, ge=1, description="the same for level warning: days")
    log_error_days: int = Field(180, ge=1, description="the same for levels error and critical: days")
    traceback_locals: bool = Field(False, description="show local variables in tracebacks: true or false")
    log_format: Literal["text", "json"] = Field("text", description="one line per fact: text or json")
