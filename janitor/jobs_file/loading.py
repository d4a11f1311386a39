"""From a jobs file to jobs: all of them, or every mistake in the file."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from janitor.errors import BadSetting, JanitorError
from janitor.items import pipelines as house
from janitor.jobs.dependencies import cycles
from janitor.jobs.feed_names import feed_names
from janitor.jobs.job import Job
from janitor.jobs.variables import check_variable, variable
from janitor.jobs_file import document, entries, functions, pipelines, template
from janitor.jobs_file.entries import Described
from janitor.jobs_file.entry import Entry
from janitor.jobs_file.mistakes import BadJobsFile, Mistake, Wrong
from janitor.jobs_file.part import Part
from janitor.jobs_file.pipelines import Described as Pipeline
from janitor.logs.mask import Mask, mask_for
from janitor.runs.bounds import listed
from janitor.scheduler import Scheduler
from janitor.settings.paths import shown
from janitor.settings.settings import Settings

MOST_NAMED = 20


@dataclass(frozen=True)
class Loaded:
    """The jobs of a jobs file, by id, those of its pipelines too, and the files that they were read from."""

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
    read, parts, mistakes = document.read(rendered)
    found = [entries.described(entry, settings) for entry in read]
    whole = [pipelines.described(part, path, settings) for part in parts]
    mistakes += [mistake for one in found for mistake in one.mistakes]
    mistakes += [mistake for one in whole for mistake in one.mistakes]
    mistakes += _changed_modules(found, path)
    mistakes += [mistake for part in parts for mistake in pipelines.changed_modules(part, path)]
    mistakes += [*_ids_taken(read, whole, scheduler)]
    mistakes += [*_unknown_dependencies(found, whole, scheduler.own_jobs), *_circles(found)]
    jobs, refused = _made(path, scheduler, found, mistakes)
    of_pipelines, refused_too = _made_of_pipelines(path, scheduler, whole, mistakes, jobs)
    if mistakes or refused or refused_too:
        raise BadJobsFile(shown(path), [*mistakes, *refused, *refused_too])
    files = dict.fromkeys((*rendered.files, *(file for one in whole for file in one.files)))
    return Loaded({**jobs, **of_pipelines}, tuple(files))


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


def _made_of_pipelines(
    path: Path, scheduler: Scheduler, found: Sequence[Pipeline], mistakes: Sequence[Mistake], others: Mapping[str, Job]
) -> tuple[dict[str, Job], list[Mistake]]:
    """Make the jobs of the pipelines without mistakes; also return what is refused as they are made."""
    jobs, refused, settings = dict[str, Job](), list[Mistake](), scheduler.settings
    mask, troubled = mask_for(settings), {mistake.where.partition(": ")[0] for mistake in mistakes}
    for described in (one for one in found if not one.mistakes and one.part.name not in troubled):
        try:
            options = {**described.options, **_masked(described.options, mask)}
            made = house.made(described.name, **options, file=shown(path))
            for job in scheduler.jobs_of_pipeline(made).values():
                if job.id in others or job.id in scheduler.own_jobs:  # an inbox may bring a reply of its own
                    raise BadSetting(
                        "id", job.id, "another job has this id: give the step, inbox or reply another name"
                    )
                jobs[job.id] = replace(job, memories=feed_names(job.needs, settings))
        except JanitorError as exc:
            refused.append(described.part.mistake("", str(exc)))
    return jobs, refused


def _masked(options: Mapping[str, Any], mask: Mask) -> dict[str, Any]:
    """What only people read of a pipeline and its steps, without secrets."""
    steps = [
        replace(step, title=mask(step.title), notes=mask(step.notes), tags=tuple(map(mask, step.tags)))
        for step in options["steps"]
    ]
    return {**{key: mask(options[key]) for key in ("title", "notes") if key in options}, "steps": steps}


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


def _ids_taken(read: Sequence[Entry], whole: Sequence[Pipeline], scheduler: Scheduler) -> Iterator[Mistake]:
    """Find ids that are taken: two ids also clash if their jobs would have the same variables.

    A job of the file may have the id of a job of `run.py`: it takes that job's place, once. Jobs of pipelines take no
    other job's place, and give theirs to none.
    """
    seen = {variable(job): (job, "run.py") for job in scheduler.own_jobs}
    replaceable = {job.id for job in scheduler.own_jobs.values() if job.work is None}
    for entry in read:
        job_id = entry.values.get("id")
        if not isinstance(job_id, str):
            continue
        known = seen.get(variable(job_id))
        if known is not None and job_id not in replaceable:
            yield entry.mistake("id", _taken(job_id, *known))
        else:
            replaceable.discard(job_id)
            seen[variable(job_id)] = (job_id, str(entry.places["id"]))
    of_run_py = house.pipelines_of(scheduler.own_jobs)
    for described in whole:
        if described.name in of_run_py:
            yield described.part.mistake("", "run.py has a pipeline of that name already; give another")
            continue
        own = set[str]()
        for job_id, part, key in described.jobs():
            if (known := seen.get(variable(job_id))) is not None and job_id not in own:
                yield part.mistake(key, f"its job is {job_id}: {_taken(job_id, *known)}")
            yield from _settings_taken(job_id, part, key, scheduler.settings)
            own.add(job_id)
            seen.setdefault(variable(job_id), (job_id, str(part.places[key])))


def _settings_taken(job_id: str, part: Part, key: str, settings: Settings) -> Iterator[Mistake]:
    try:
        check_variable(job_id, (), settings.known, Settings.variables())
    except BadSetting as exc:
        yield part.mistake(key, f"its job is {job_id}: {exc.expected}")


def _taken(job_id: str, known: str, place: str) -> str:
    why = "" if known == job_id else f": its variables would be those of {known}"
    return f"{place} has that id already{why}; give another"


def _unknown_dependencies(
    found: Sequence[Described], whole: Sequence[Pipeline], own_jobs: Mapping[str, Job]
) -> Iterator[Mistake]:
    known = {*own_jobs, *(str(described.entry.values["id"]) for described in found if "id" in described.entry.values)}
    known.update(job_id for described in whole for job_id, _, _ in described.jobs())
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
