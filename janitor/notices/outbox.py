"""The outbox: notices begin, go on and end in the state database, each with what every channel has to tell of it."""

import logging
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection, select

from janitor.engine.runner import Runner
from janitor.jobs.job import Job
from janitor.jobs.slots import next_slot
from janitor.notices import histories
from janitor.notices.content import LOG_LINES, MAX_ERROR, MAX_LINE, Content, to_json
from janitor.notices.rules import Condition, Facts
from janitor.runs import Outcome
from janitor.settings.notices import NoticeRules
from janitor.state import notices, run_records
from janitor.state.notices import BEGAN, ENDED, REPEATED
from janitor.state.tables import run_logs

log = logging.getLogger(__name__)

Key = tuple[str, str]
"""A job and a rule: of each there is at most one notice that has not ended."""


@dataclass(frozen=True)
class Open:
    """A notice that has not ended, as it was told last."""

    id: int
    text: str
    run_id: int | None
    began_at: datetime
    told_at: datetime


@dataclass(frozen=True)
class Step:
    """Something to tell: a condition that begins, goes on or ends, and why where it ends."""

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
        """The run that the notice shows: the one that began it, or the one that ended it."""
        known = self.facts.history.runs
        return known[-1].id if self.kind == ENDED and known else self.condition.run_id

    def log(self) -> None:
        """Say so in the log."""
        level = logging.INFO if self.kind == ENDED else logging.WARNING
        text = self.over or self.condition.text
        log.log(level, "notice %s: %s of %s: %s", self.kind, self.condition.rule, self.condition.job, text)


class Outbox:
    """Where notices are put, for some channels to tell."""

    def __init__(
        self, runner: Runner, jobs: Mapping[str, Job], rules: Mapping[str, NoticeRules], channels: Sequence[str]
    ) -> None:
        """`channels` are the names of those that tell."""
        self._runner, self._jobs, self._rules, self._channels = runner, jobs, rules, channels
        self.host = socket.gethostname()

    def put(
        self, connection: Connection, steps: Sequence[Step], told: Mapping[Key, Open], now: datetime
    ) -> dict[Key, Open]:
        """Begin, repeat and end notices, in the caller's fenced transaction; those that are open then."""
        left = dict(told)
        for step in steps:
            condition, key = step.condition, step.key
            if step.kind == BEGAN:
                made = notices.begin(connection, condition.rule, condition.job, condition.text, condition.run_id, now)
                left[key] = Open(made, condition.text, condition.run_id, now, now)
            elif step.kind == REPEATED:
                left[key] = replace(left[key], text=condition.text, run_id=condition.run_id, told_at=now)
                notices.tell_again(connection, left[key].id, condition.text, condition.run_id, now)
            else:
                notices.end(connection, left[key].id, now)
            self._deliver(connection, step, left[key], now)
            if step.kind == ENDED:
                del left[key]
        return left

    def _deliver(self, connection: Connection, step: Step, notice: Open, now: datetime) -> None:
        text = self._runner.mask(to_json(self._content(connection, step, notice, now)))
        for channel in self._channels:
            if self._is_wanted(step, channel):
                notices.add(connection, notice.id, channel, step.kind, text, now)

    def _is_wanted(self, step: Step, channel: str) -> bool:
        """Without the rule `recovered` nobody is told that `failed` ended, but an incident is closed all the same."""
        rules = self._rules.get(step.condition.job)
        silent = step.kind == ENDED and step.condition.rule == "failed"
        silent = silent and rules is not None and "recovered" not in rules.notice_rules
        return not silent or channel == "pagerduty"

    def _content(self, connection: Connection, step: Step, notice: Open, now: datetime) -> Content:
        condition, run_id = step.condition, step.run_id
        row = None if run_id is None else run_records.get(connection, run_id)
        job = self._jobs.get(condition.job)
        failed = row is not None and row.outcome in (Outcome.FAILED, Outcome.TIMED_OUT, Outcome.INTERRUPTED)
        return Content(
            key=f"janitor-{notice.began_at:%Y%m%d%H%M%S}-{notice.id}",
            kind=step.kind,
            rule=condition.rule,
            job=condition.job,
            text=condition.text,
            began_at=notice.began_at,
            at=now,
            host=self.host,
            over=step.over,
            run_id=run_id,
            error=(row.reason or "")[:MAX_ERROR] if row is not None and failed else "",
            counts=histories.counts_of(row.counts) if row is not None else None,
            log=[] if run_id is None else _last_lines(connection, run_id),
            next_run_at=next_slot(job.trigger, now) if job is not None and job.enabled else None,
            web_url=self._runner.settings.web_url,
        )


def _last_lines(connection: Connection, run_id: int) -> list[str]:
    query = select(run_logs.c.at, run_logs.c.level, run_logs.c.message).where(run_logs.c.run_id == run_id)
    rows = connection.execute(query.order_by(run_logs.c.id.desc()).limit(LOG_LINES)).all()
    return [f"{row.at:%H:%M:%S} {row.level} {row.message[:MAX_LINE]}" for row in reversed(rows)]
