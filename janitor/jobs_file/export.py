"""The other way: from jobs to the jobs file that would make them, and from pipelines to theirs."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from janitor.errors import BadSetting
from janitor.items.pipelines import pipelines_of
from janitor.jobs.descriptions import entry, unfolded
from janitor.jobs.job import Job
from janitor.jobs.schedules import parse
from janitor.jobs_file.export_pipelines import written
from janitor.jobs_file.keys import KEYS
from janitor.jobs_file.mistakes import Wrong
from janitor.jobs_file.yaml_texts import comes_back, dumped, indented, templated
from janitor.logs.mask import Mask, mask_for
from janitor.settings.settings import Settings

Unsayable = tuple[str, str]
"""A key that a jobs file cannot hold, and why."""


def export(jobs: Iterable[Job], settings: Settings) -> Iterator[str]:
    """Write jobs as a jobs file, in parts. A comment stands for each value that a file cannot hold.

    Jobs of pipelines are not written one by one: their pipelines are. What a jobs file took from the environment is
    written as `env("NAME")` again. Other secrets are masked.
    """
    mask, all_jobs = mask_for(settings), list(jobs)
    yield "jobs:\n"
    for job in (job for job in all_jobs if job.work is None):
        values = entry(job)
        unsayable = list(_unsayable(job, values, settings))
        kept = {key: value for key, value in values.items() if key not in {key for key, _ in unsayable}}
        yield _part(job.id, [kept], unsayable, settings, mask)
    pipelines = pipelines_of(all_jobs)
    if pipelines:
        yield "\npipelines:\n"
    for name, pipeline in pipelines.items():
        values, unsayable = written(pipeline)
        yield _part(name, {name: values}, unsayable, settings, mask)


def _part(name: str, values: Any, unsayable: Sequence[Unsayable], settings: Settings, mask: Mask) -> str:
    """A job or a pipeline as a part of a jobs file, with the comments before it."""
    comments = [f"  # {name}: {key} cannot be written: {why}\n" for key, why in unsayable]
    text = templated(indented(dumped(values)), settings.taken)
    if mask(text) != text:
        comments.append(f"  # {name}: a secret cannot be written: *** stands in its place\n")
    return mask("\n" + "".join(comments) + text)


def _unsayable(job: Job, values: dict[str, Any], settings: Settings) -> Iterator[Unsayable]:
    """Find the keys that a jobs file cannot hold, and why."""
    functions: dict[str, Callable[..., object] | None] = {"function": unfolded(job)[0], "cleanup": job.cleanup}
    for key, function in functions.items():
        try:
            if key in values and KEYS[key](values[key]) != function:
                yield key, f"{values[key]} is another function than the one of this job"
        except Wrong as exc:
            yield key, str(exc)
    for key in [key for key in values if key not in ("schedule", *functions)]:
        if not comes_back(values[key]):
            yield key, "it holds more than texts, numbers, dates, lists and mappings"
    try:
        if "schedule" in values:
            parse(values["schedule"], settings.schedule_timezone, "schedule")
    except BadSetting:
        yield "schedule", f"{values['schedule']} has no words in a jobs file"
