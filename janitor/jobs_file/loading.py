"""From a jobs file to jobs: all of them, or every mistake in the file."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from janitor.errors import BadSetting
from janitor.jobs.dependencies import cycles
from janitor.jobs.job import Job
from janitor.jobs.variables import variable
from janitor.jobs_file import document, entries, functions, template
from janitor.jobs_file.entries import Described
from janitor.jobs_file.entry import Entry
from janitor.jobs_file.mistakes import BadJobsFile, Mistake, Wrong
from janitor.logs.mask import Mask, mask_for
from janitor.runs.bounds import listed
from janitor.scheduler import Scheduler
from janitor.settings.paths import shown

MOST_NAMED = 20


@dataclass(frozen=True)
class Loaded:
    """The jobs of a jobs file, by id, and the files that they were read from."""

    jobs: dict[str, Job]
    files: tuple[Path, ...]


def load(path: Path, scheduler: Scheduler) -> Loaded:
    """Read the jobs of a jobs file; the clock does not change.

    `scheduler` gives the settings, and the jobs of `run.py`: the file's jobs may depend on them.

    Raises:
        BadJobsFile: there are mistakes; the error has all of them.
    """
    settings = scheduler.settings
    functions.import_beside(path)
    rendered = template.render(path, settings.environ, settings.keep_secret)
    read, _, mistakes = document.read(rendered)
    found = [entries.described(entry, settings) for entry in read]
    mistakes += [mistake for described in found for mistake in described.mistakes]
    mistakes += _changed_modules(found, path)
    mistakes += [*_ids_taken(read, scheduler.own_jobs), *_unknown_dependencies(found, scheduler.own_jobs)]
    mistakes += _circles(found)
    jobs, refused = _made(path, scheduler, found, mistakes)
    if mistakes or refused:
        raise BadJobsFile(shown(path), [*mistakes, *refused])
    return Loaded(jobs, rendered.files)


def _made(
    path: Path, scheduler: Scheduler, found: Sequence[Described], mistakes: Sequence[Mistake]
) -> tuple[dict[str, Job], list[Mistake]]:
    """Make the jobs of the entries without mistakes; also return what the scheduler refuses."""
    jobs, refused, mask = {}, [], mask_for(scheduler.settings)
    same_for_all = {"keeps_result": "if it fits", "file": shown(path)}
    troubled = {(mistake.place.file, mistake.where.partition(": ")[0]) for mistake in mistakes}
    for described in found:
        if (described.entry.place.file, described.entry.name) in troubled:
            continue
        try:
            jobs[described.values["id"]] = scheduler.make_job(
                {**described.values, **_texts_for_people(described, mask), **same_for_all}
            )
        except BadSetting as exc:
            refused.append(Mistake(described.entry.place, described.entry.name, str(exc)))
    return jobs, refused


def _texts_for_people(described: Described, mask: Mask) -> dict[str, Any]:
    """What only people read of an entry, without secrets."""
    texts = {key: mask(value) for key, value in described.values.items() if key in ("title", "notes")}
    return {**texts, "tags": tuple(map(mask, described.values.get("tags", ())))}


def _changed_modules(found: Sequence[Described], path: Path) -> Iterator[Mistake]:
    for described in found:
        for key in ("function", "cleanup"):
            try:
                if isinstance(value := described.entry.values.get(key), str):
                    functions.check_still_there(value, path)
            except Wrong as exc:
                yield described.entry.mistake(key, str(exc))


def _ids_taken(read: Sequence[Entry], own_jobs: Mapping[str, Job]) -> Iterator[Mistake]:
    """Find ids that are taken: two ids also clash if their jobs would have the same variables.

    A job of the file may have the id of a job of `run.py`: it takes that job's place, once.
    """
    seen, replaceable = {variable(job): (job, "run.py") for job in own_jobs}, set(own_jobs)
    for entry in read:
        job_id = entry.values.get("id")
        if not isinstance(job_id, str):
            continue
        known = seen.get(variable(job_id))
        if known is not None and job_id not in replaceable:
            why = "" if known[0] == job_id else f": its variables would be those of {known[0]}"
            yield entry.mistake("id", f"{known[1]} has that id already{why}; give another")
        else:
            replaceable.discard(job_id)
            seen[variable(job_id)] = (job_id, str(entry.places["id"]))


def _unknown_dependencies(found: Sequence[Described], own_jobs: Mapping[str, Job]) -> Iterator[Mistake]:
    known = {*own_jobs, *(str(described.entry.values["id"]) for described in found if "id" in described.entry.values)}
    jobs = listed(sorted(known), MOST_NAMED)
    for described in found:
        for name in described.values.get("dependencies", ()):
            if name not in known:
                text = f"there is no job {name[:100]}; the jobs are {jobs}"
                yield described.entry.mistake("dependencies", text)


def _circles(found: Sequence[Described]) -> Iterator[Mistake]:
    by_id = {described.values["id"]: described for described in found if "id" in described.values}
    graph = {
        job: [name for name in described.values.get("dependencies", ()) if name in by_id]
        for job, described in by_id.items()
    }
    for circle in cycles(graph):
        text = f"they go round in a circle: {' -> '.join(circle)}; leave one out"
        yield by_id[circle[0]].entry.mistake("dependencies", text)
