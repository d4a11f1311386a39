"""Jobs that run whenever there is work, and have no slots: a step of a pipeline, an inbox, a way of replying."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from apscheduler.triggers.base import BaseTrigger

from janitor.jobs.schedules import Unscheduled
from janitor.jobs.slots import next_slot

WITH_WORK = "with work"
"""The schedule of a job that runs whenever there is work."""
Kind = Literal["step", "inbox", "reply"]


@dataclass(frozen=True)
class Work:
    """What a job works on: its kind, the pipeline's name, and the pipeline itself."""

    kind: Kind
    pipeline: str
    whole: Any = None


class Paced(Unscheduled):
    """A trigger without slots: runs begin by themselves, at the moments of `pace` alone if it is given."""

    __slots__ = ("pace",)

    def __init__(self, words: str = WITH_WORK, pace: BaseTrigger | None = None) -> None:
        super().__init__(words)
        self.pace = pace

    def may_begin(self, since: datetime, now: datetime) -> bool:
        """Whether a run may begin now, if runs were looked for last at `since`."""
        if self.pace is None:
            return True
        at = next_slot(self.pace, since)
        return at is not None and at <= now
