"""The outbox: writes each step to the state database, with a delivery for each channel that is to tell it.

    step      table `notices`               table `deliveries`
    began     a new row                     a row for each channel, with the whole content as JSON
    repeated  text, run and told_at change  the same, if the channel has told everything before
    ended     ended_at is set               the same

All of it is in the caller's fenced transaction: a notice and its deliveries are there together, or not at all. From
then on the posts take over: they read `deliveries`, send, and close each row.

A step that cannot be written whole is written in brief. If that fails too, it is set aside: the others are written.
"""

import socket
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from janitor.engine.journal_records import concerns_one
from janitor.engine.runner import Runner
from janitor.errors import Fenced, JanitorError
from janitor.jobs.counts import stored
from janitor.jobs.job import Job
from janitor.jobs.slots import next_slot_if_told
from janitor.loops import Duty
from janitor.notices.content import Content, in_brief, to_json
from janitor.notices.steps import Key, OpenNotice, Step
from janitor.runs import Outcome
from janitor.settings.notices import NoticeRules
from janitor.state import deliveries, notices, run_records
from janitor.state.deliveries import BEGAN, ENDED, REPEATED
from janitor.state.tables import run_logs

LOG_LINES = 20
"""How many lines of the run's log a notice carries: the last ones."""
MAX_ERROR = 2_000
MAX_LINE = 500


class Outbox:
    """Where steps are put, for the channels to tell."""

    def __init__(
        self,
        runner: Runner,
        jobs: Mapping[str, Job],
        rules: Mapping[str, NoticeRules],
        channels: Sequence[str],
        duty: Duty[Any],
    ) -> None:
        """`channels` are the names of the channels that tell; `duty` tells of steps that cannot be written."""
        self._runner, self._jobs, self._rules, self._channels, self._duty = runner, jobs, rules, channels, duty
        self.host = socket.gethostname()

    def put(
        self, connection: Connection, steps: Sequence[Step], told: Mapping[Key, OpenNotice], now: datetime
    ) -> dict[Key, OpenNotice]:
        """Write the steps in the caller's fenced transaction; return the notices that are open then."""
        left = dict(told)
        for step in steps:
            notice = self._put(connection, step, left.get(step.key), now)
            if notice is not None and step.kind == ENDED:
                left.pop(step.key, None)
            elif notice is not None:
                left[step.key] = notice
        return left

    def _put(self, connection: Connection, step: Step, before: OpenNotice | None, now: datetime) -> OpenNotice | None:
        """Write one step, in brief if it cannot be written whole; return the notice, None if the step is set aside."""
        for is_brief in (False, True):
            how = " in brief" if is_brief else ""
            with self._duty.aside(f"{step.kind} {step.condition.rule} of {step.condition.job}{how}", _concerns_all):
                with connection.begin_nested():
                    notice = _written(connection, step, before, now, is_brief)
                    self._deliver(connection, step, notice, now, is_brief)
                return notice
        return None

    def _deliver(self, connection: Connection, step: Step, notice: OpenNotice, now: datetime, is_brief: bool) -> None:
        content = self._content(step, notice, now)
        if is_brief:
            text = self._runner.mask.json(to_json(content.brief))
        else:
            text = self._runner.mask.json(to_json(self._with_details(connection, content, step, now)))
        for channel in self._channels:
            if self._is_wanted(step, channel):
                deliveries.add(connection, notice.id, channel, step.kind, text, now)

    def _is_wanted(self, step: Step, channel: str) -> bool:
        """Without the rule `recovered` nobody is told the end of `failed`. An incident at PagerDuty is still closed."""
        rules = self._rules.get(step.condition.job)
        silent = step.kind == ENDED and step.condition.rule == "failed"
        silent = silent and rules is not None and "recovered" not in rules.notice_rules
        return not silent or channel == "pagerduty"

    def _content(self, step: Step, notice: OpenNotice, now: datetime) -> Content:
        condition = step.condition
        job = self._jobs.get(condition.job)
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
            run_id=step.run_id,
            web_url=self._runner.settings.web_url,
            pipeline=job.work.pipeline if job is not None and job.work is not None else "",
            item=condition.item,
        )

    def _with_details(self, connection: Connection, content: Content, step: Step, now: datetime) -> Content:
        """Add what the run said, and when the job runs next."""
        run_id, job = step.run_id, self._jobs.get(step.condition.job)
        row = None if run_id is None else run_records.get(connection, run_id)
        failed = row is not None and row.outcome in (Outcome.FAILED, Outcome.TIMED_OUT, Outcome.INTERRUPTED)
        return replace(
            content,
            error=(row.reason or "")[:MAX_ERROR] if row is not None and failed else "",
            counts=stored(row.counts) if row is not None else None,
            log=[] if run_id is None else _last_lines(connection, run_id),
            next_run_at=next_slot_if_told(job.trigger, now) if job is not None and job.enabled else None,
        )


def _concerns_all(error: BaseException) -> bool:
    """Whether an error is no single step's: the lead is lost, or the state database is away."""
    return isinstance(error, Fenced) or (isinstance(error, JanitorError) and not concerns_one(error))


def _written(
    connection: Connection, step: Step, before: OpenNotice | None, now: datetime, is_brief: bool
) -> OpenNotice:
    """Write a step to the table `notices`, and return the notice as it is then."""
    condition = step.condition
    text, run_id = in_brief(condition.text) if is_brief else condition.text, condition.run_id
    if step.kind == BEGAN or before is None:
        made = notices.begin(connection, condition.rule, condition.job, text, run_id, now)
        return OpenNotice(made, text, run_id, began_at=now, told_at=now)
    if step.kind == REPEATED:
        notices.tell_again(connection, before.id, text, run_id, now)
        return replace(before, text=text, run_id=run_id, told_at=now)
    notices.end(connection, before.id, now)
    return before


def _last_lines(connection: Connection, run_id: int) -> list[str]:
    query = select(run_logs.c.at, run_logs.c.level, run_logs.c.message).where(run_logs.c.run_id == run_id)
    rows = connection.execute(query.order_by(run_logs.c.id.desc()).limit(LOG_LINES)).all()
    return [f"{row.at:%H:%M:%S} {row.level} {row.message[:MAX_LINE]}" for row in reversed(rows)]
