"""Pipelines as jobs: what `add_pipeline` and an entry of a jobs file make of a pipeline."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import fields, replace
from typing import Any

from janitor.errors import BadSetting
from janitor.items.pipeline import Pipeline
from janitor.items.pipeline_check import require, require_kinds
from janitor.items.receiving import RUN_SECONDS as INBOX_SECONDS
from janitor.items.receiving import InboxTask
from janitor.items.replying import RUN_SECONDS as REPLY_SECONDS
from janitor.items.replying import ReplyTask
from janitor.items.schemas import Schemas
from janitor.items.step import AS_SOON_AS, Step
from janitor.items.work import RUN_SECONDS as STEP_SECONDS
from janitor.items.work import StepTask
from janitor.jobs.job import Job
from janitor.jobs.with_work import Kind, Paced, Work
from janitor.needs import Need
from janitor.settings.settings import Settings
from janitor.state.item_plans import lane_of

OFF = "its step says enabled=False"
SLACK_SECONDS = 120.0
"""So much longer than it means to go on a run may take, before it counts as over its time."""


def made(name: str, steps: Sequence[Step], **options: Any) -> Pipeline:
    """A pipeline that can work, with the replies that its inboxes bring.

    Raises:
        BadSetting: it cannot work; the error has all its mistakes. A schema cannot be used.
    """
    known = {field.name for field in fields(Pipeline) if field.name not in ("name", "file")}
    unknown = sorted(options.keys() - known - {"file"})
    if unknown:
        raise BadSetting("pipeline", name, f"it has no option {unknown[0]}: the options are {', '.join(sorted(known))}")
    pipeline = Pipeline(name, steps, **options)
    require_kinds(pipeline)
    inboxes = tuple(pipeline.inboxes)
    of_inboxes = (reply for inbox in inboxes if (reply := getattr(inbox, "reply", None)) is not None)
    replies = (*pipeline.replies, *of_inboxes)
    pipeline = replace(pipeline, steps=tuple(steps), inboxes=inboxes, replies=replies)
    require(pipeline)
    Schemas(pipeline.schema, pipeline.task_name).require()
    return pipeline


def jobs(pipeline: Pipeline, settings: Settings) -> Iterator[Job]:
    """The jobs of a pipeline; the words of each trigger are its schedule, as it was given."""
    for step in pipeline.in_order:
        yield _of_step(pipeline, step, settings)
    for inbox in pipeline.inboxes:
        task, seconds = InboxTask(pipeline, inbox, settings), INBOX_SECONDS + SLACK_SECONDS
        yield _of_end(pipeline, inbox, "inbox", task, seconds)
    for reply in pipeline.replies:
        sending = ReplyTask(pipeline, reply, settings)
        yield _of_end(pipeline, reply, "reply", sending, REPLY_SECONDS + SLACK_SECONDS)


def _of_step(pipeline: Pipeline, step: Step, settings: Settings) -> Job:
    needs: list[Need] = list(step.requires)
    needs += getattr(step.func, "requires", ())
    needs += pipeline.store.requires if pipeline.store is not None else ()
    return Job(
        lane_of(pipeline.name, step.name),
        StepTask(pipeline, step, settings),
        (),
        {},
        Paced(step.schedule),
        timeout=STEP_SECONDS + step.timeout + SLACK_SECONDS,
        disabled_because=_why_off(step.enabled),
        needs=tuple(needs),
        title=step.title,
        notes=step.notes,
        tags=(pipeline.name, *step.tags),
        protect=step.protect,
        file=pipeline.file,
        own_thread=True,
        work=Work("step", pipeline.name, pipeline),
    )


def _of_end(pipeline: Pipeline, end: Any, kind: Kind, task: Any, seconds: float) -> Job:
    return Job(
        lane_of(pipeline.name, end.name),
        task,
        (),
        {},
        Paced(AS_SOON_AS),
        timeout=seconds,
        needs=tuple(end.requires),
        tags=(pipeline.name,),
        file=pipeline.file,
        own_thread=True,
        work=Work(kind, pipeline.name, pipeline),
    )


def _why_off(enabled: bool | str) -> str:
    if isinstance(enabled, str):
        return enabled
    return "" if enabled else OFF


def pipelines_of(jobs: Iterable[Job] | Mapping[str, Job]) -> dict[str, Pipeline]:
    """The pipelines that jobs belong to, by name."""
    values = jobs.values() if isinstance(jobs, Mapping) else jobs
    return {job.work.pipeline: job.work.whole for job in values if job.work is not None}
