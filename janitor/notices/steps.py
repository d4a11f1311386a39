"""What changes about notices: a notice begins, is repeated, or ends."""

import logging
from dataclasses import dataclass
from datetime import datetime

from janitor.notices.facts import Condition, Facts
from janitor.state.deliveries import ENDED

log = logging.getLogger(__name__)

Key = tuple[str, str]
"""A job and a rule: each pair has at most one open notice."""


@dataclass(frozen=True)
class OpenNotice:
    """A notice that has not ended, as it was last told. Its `id` is 0 until it is in the state database."""

    id: int
    text: str
    run_id: int | None
    began_at: datetime
    told_at: datetime


@dataclass(frozen=True)
class Step:
    """One change to tell: a condition begins, goes on or ends. `over` says why it ends."""

    kind: str
    condition: Condition
    facts: Facts
    over: str = ""

    @property
    def key(self) -> Key:
        """The job and the rule."""
        return self.condition.job, self.condition.rule

    @property
    def run_id(self) -> int | None:
        """The run that the notice shows: at its end the job's last run, before that the run that began it."""
        last = self.facts.history.last_run
        return last.id if self.kind == ENDED and last is not None else self.condition.run_id

    def log(self) -> None:
        """Write the step to the log."""
        level = logging.INFO if self.kind == ENDED else logging.WARNING
        text = self.over or self.condition.text
        log.log(level, "notice %s: %s of %s: %s", self.kind, self.condition.rule, self.condition.job, text)
