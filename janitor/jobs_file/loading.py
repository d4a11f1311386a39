"""From a jobs file to jobs: all of it, or every mistake in it."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from janitor.errors import BadSetting
from janitor.jobs.dependencies import cycles
from janitor.jobs.job import Job
from janitor.jobs.variables import variable
from janitor.jobs_file import document, entries, template
from janitor.jobs_file.document import Entry
from janitor.jobs_file.mistakes import BadJobsFile, Mistake
from janitor.scheduler import Scheduler


@dataclass(frozen=True)
class Loaded:
    """The jobs of a jobs file, by id, and the files that they were read from."""

    jobs: dict[str, Job]
    files: tuple[Path, ...]


def load(path: Path, scheduler: Scheduler) -> Loaded:
    """The jobs of a jobs file; nothing is put on the clock.

    `scheduler` gives the settings, and the jobs of `run.py`, which these may depend on.

    Raises:
        BadJobsFile: there are mistakes; the error has every one.
    """
    rendered = template.render(path, scheduler.settings.environ)
    read, mistakes = document.read(rendered)
    others = scheduler.own_jobs
    described = []
    for entry in read:
        values, wrong = entries.described(entry, scheduler.settings)
        described.append((entry, values))
        mistakes += wrong
    mistakes += _taken(read, others) + _unknown(described, read, others) + _circles(described)
    jobs = {}
    troubled = {(one.place.file, one.where.partition(": ")[0]) for one in mistakes}
    for entry, values in described:
        if (entry.place.file, entry.name) in troubled:
            continue
        try:
            jobs[values["id"]] = scheduler.make_job(values | {"keeps_result": True, "file": str(path)})
        except BadSetting as exc:
            mistakes.append(Mistake(entry.place, entry.name, str(exc)))
    if mistakes:
        raise BadJobsFile(str(path), mistakes)
    return Loaded(jobs, rendered.files)


def _taken(read: list[Entry], others: Mapping[str, Job]) -> list[Mistake]:
    mistakes, seen, own = [], {variable(job): (job, "run.py") for job in others}, set(others)
    for entry in read:
        job_id = entry.values.get("id")
        if not isinstance(job_id, str):
            continue
        known = seen.get(variable(job_id))
        if known is not None and job_id in own:
            # The file's job takes the place of the one in run.py.
            own.discard(job_id)
            known = None
        if known is not None:
            why = "" if known[0] == job_id else f": its variables would be those of {known[0]}"
            mistakes.append(entry.mistake("id", f"{known[1]} has that id already{why}; give another"))
        else:
            seen[variable(job_id)] = (job_id, str(entry.places["id"]))
    return mistakes


def _unknown(
    described: list[tuple[Entry, dict[str, Any]]], read: list[Entry], others: Mapping[str, Job]
) -> list[Mistake]:
    known = {*others, *(str(entry.values["id"]) for entry in read if "id" in entry.values)}
    return [
        entry.mistake("dependencies", f"there is no job {name}; the jobs are {_some(known)}")
        for entry, values in described
        for name in values.get("dependencies", ())
        if name not in known
    ]


def _circles(described: list[tuple[Entry, dict[str, Any]]]) -> list[Mistake]:
    by_id = {values["id"]: entry for entry, values in described if "id" in values}
    graph = {values["id"]: values.get("dependencies", ()) for _, values in described if "id" in values}
    within = {job: [name for name in names if name in by_id] for job, names in graph.items()}
    return [
        by_id[circle[0]].mistake("dependencies", f"they go round in a circle: {' -> '.join(circle)}; leave one out")
        for circle in cycles(within)
    ]


def _some(names: set[str]) -> str:
    shown = sorted(names)
    return ", ".join(shown[:20]) + (f" and {len(shown) - 20} more" if len(shown) > 20 else "")
