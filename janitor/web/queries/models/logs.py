"""Log lines of a run."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from janitor.web.queries.models.model import Model

Level = Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"]


class LogLine(Model):
    """One line that was logged during a run."""

    id: int
    at: datetime
    level: str
    logger: str
    message: str
    file: str | None = Field(description="The source file that logged it.")
    line: int | None


class LogLines(Model):
    """A stretch of a run's log, in order."""

    lines: list[LogLine]
    next_after: int = Field(description="`after` for the next stretch.")
    more: bool = Field(description="Whether there are more lines already.")
    ended: bool = Field(description="Whether the run has ended and these are its last lines.")
