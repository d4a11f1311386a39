"""Pipelines: how many items are where, how fast they go, and what waits. Rows are counted by no page."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import get_args

from sqlalchemy import Connection

from janitor.jobs.job import Job
from janitor.state import item_counts, item_search, job_records
from janitor.state.item_counts import EVER, OF_INBOXES, OF_ITEMS, OF_REPLIES, Count
from janitor.state.item_letters import DEAD
from janitor.state.item_plans import PlannedStep
from janitor.state.item_replies import DUE, GIVEN_UP
from janitor.state.item_search import Wanted
from janitor.state.item_states import DONE, FAILED, GOING_ON, OPEN, WAITING
from janitor.state.job_records import JobRecord
from janitor.web.queries import models
from janitor.web.queries.known_pipelines import KnownPipeline, all_pipelines
from janitor.web.queries.progress import by_step, progress_of
from janitor.web.queries.rates import rates

MOST_FLAGGED = 1_000
HOUR = 3600.0
ENDED = (DONE, FAILED)
STATES: tuple[models.StepState, ...] = get_args(models.StepState)
"""The states of steps, in the order of their numbers."""
KINDS: tuple[models.Kind, ...] = get_args(models.Kind)


def pipeline_lines(connection: Connection, all_jobs: Mapping[str, Job], now: datetime) -> list[models.PipelineLine]:
    """All pipelines: those that are here, then those that are gone and of which items are kept."""
    found = all_pipelines(connection, all_jobs)
    lines = _lines(connection, all_jobs, found, now) if found else []
    return [line for line in lines if line.here or line.items]


def pipeline_page(
    connection: Connection, all_jobs: Mapping[str, Job], pipeline: KnownPipeline, now: datetime
) -> models.PipelinePage:
    """All that is known of one pipeline but its items."""
    [line] = _lines(connection, all_jobs, [pipeline], now)
    whole = pipeline.whole
    return models.PipelinePage(
        pipeline=line,
        statuses={name: kind for name, given in pipeline.plan.kinds.items() for kind in KINDS if kind == given},
        inboxes=[inbox.name for inbox in whole.inboxes] if whole else [],
        replies=list(pipeline.plan.replies),
        on_duplicate=pipeline.plan.on_duplicate,
        flagged=item_search.count(connection, Wanted(pipeline.name, flagged=True), MOST_FLAGGED),
        notes=whole.notes if whole else "",
        file=whole.file if whole else "",
    )


def _lines(
    connection: Connection, all_jobs: Mapping[str, Job], found: Sequence[KnownPipeline], now: datetime
) -> list[models.PipelineLine]:
    told = item_counts.read(connection, found[0].name if len(found) == 1 else None)
    lanes = [one.plan.lane(step.name) for one in found for step in one.plan.steps]
    # Of a pipeline without items nothing can wait.
    known = {one.pipeline for one in told}
    asked = [lane for lane in lanes if lane.partition(".")[0] in known]
    off = _Off(all_jobs, job_records.all_jobs(connection))
    waiting = item_search.oldest_waiting(connection, asked) if asked else {}
    return [
        _line(connection, one, [count for count in told if count.pipeline == one.name], waiting, off, now)
        for one in found
    ]


@dataclass(frozen=True)
class _Off:
    """Why jobs take no items."""

    jobs: Mapping[str, Job]
    records: Mapping[str, JobRecord]

    def why(self, job_id: str) -> str | None:
        """Why a job does not run; None if it may."""
        job, record = self.jobs.get(job_id), self.records.get(job_id)
        if job is None:
            return "its job is gone"
        if not job.enabled:
            return f"switched off: {job.disabled_because}"
        return f"paused by {record.paused_by}" if record is not None and record.paused_at is not None else None


def _line(
    connection: Connection,
    pipeline: KnownPipeline,
    counts: Sequence[Count],
    waiting: Mapping[str, datetime],
    off: _Off,
    now: datetime,
) -> models.PipelineLine:
    plan, states = pipeline.plan, by_step(counts)
    items = states.get(OF_ITEMS, Counter())
    found = rates(connection, plan, counts, now)
    steps = [
        _step(pipeline, step, counts, states.get(step.name, Counter()), found, waiting, off) for step in plan.steps
    ]
    of_steps = sum((states.get(step.name, Counter()) for step in plan.steps), Counter[int]())
    return models.PipelineLine(
        name=plan.pipeline,
        title=pipeline.whole.title if pipeline.whole else "",
        here=pipeline.whole is not None,
        items=sum(items.values()),
        open=items.get(OPEN, 0),
        done=items.get(DONE, 0),
        failed=items.get(FAILED, 0),
        progress=progress_of(of_steps),
        steps=steps,
        oldest_waiting_at=min((step.oldest_waiting_at for step in steps if step.oldest_waiting_at), default=None),
        per_hour=sum(found.values()) * HOUR if found is not None else None,
        seconds_left=_slowest(steps),
        dead_letters=_number(counts, OF_INBOXES, FAILED, DEAD),
        replies_waiting=_number(counts, OF_REPLIES, DUE),
        replies_given_up=_number(counts, OF_REPLIES, GIVEN_UP),
    )


def _step(
    pipeline: KnownPipeline,
    step: PlannedStep,
    counts: Sequence[Count],
    states: Mapping[int, int],
    rates_of_steps: Mapping[str, float] | None,
    waiting: Mapping[str, datetime],
    off: _Off,
) -> models.StepLine:
    own, lane = [one for one in counts if one.step == step.name], pipeline.plan.lane(step.name)
    tried = [one for one in own if one.state == EVER]
    attempts, left = sum(one.number for one in tried), sum(states.get(state, 0) for state in GOING_ON)
    rate = None if rates_of_steps is None else rates_of_steps[step.name]
    return models.StepLine(
        name=step.name,
        job=lane,
        needs=dict(step.needs),
        off=off.why(lane),
        counts=[_count(one, pipeline.plan.kinds) for one in own if one.state >= WAITING and one.number > 0],
        progress=progress_of(states),
        oldest_waiting_at=waiting.get(lane),
        attempts=attempts,
        seconds_each=max(0.0, sum(one.seconds for one in tried)) / attempts if attempts > 0 else None,
        per_hour=None if rate is None else rate * HOUR,
        seconds_left=0.0 if not left else left / rate if rate else None,
    )


def _count(one: Count, kinds: Mapping[str, str]) -> models.StatusCount:
    return models.StatusCount(
        state=STATES[one.state],
        status=one.status,
        kind=kind_of(one.state, one.status, kinds),
        items=one.number,
    )


def kind_of(state: int, status: str, kinds: Mapping[str, str]) -> models.Kind | None:
    """The kind of a status with which a step has ended; None if it has not."""
    if state not in ENDED:
        return None
    known = next((kind for kind in KINDS if kind == kinds.get(status)), None)
    return known or ("error" if state == FAILED else "ok")


def _slowest(steps: Sequence[models.StepLine]) -> float | None:
    """How long the slowest step takes; None if some step does not end at its rate."""
    found = [step.seconds_left for step in steps]
    return None if None in found else max((one for one in found if one is not None), default=0.0)


def _number(counts: Sequence[Count], step: str, state: int, status: str | None = None) -> int:
    return sum(one.number for one in counts if (one.step, one.state) == (step, state) and status in (None, one.status))
