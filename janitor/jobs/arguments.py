"""What `add_job` was given: each argument is looked at before a job is made of it, and a mistake names its line."""

import inspect
import traceback
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import tzinfo
from functools import partial
from typing import Any, NoReturn, get_args

from apscheduler.jobstores.base import ConflictingIdError
from apscheduler.util import check_callable_args, convert_to_datetime, ref_to_obj, undefined

from janitor.errors import BadSetting, summary
from janitor.guard import foreign_code
from janitor.jobs.descriptions import name_of
from janitor.jobs.job import LATE_SECONDS, Job, check_id
from janitor.needs import Need
from janitor.settings.paths import shown

DEFAULT = "default"
FUNCTION_HELP = "give a function, without brackets behind it, or 'package.module:function'"


class JobExists(BadSetting, ConflictingIdError):  # type: ignore[misc]  # APScheduler 3 has no annotations
    """Raised when two lines give their jobs one id: rename one of them. It is APScheduler's error too."""

    def __str__(self) -> str:
        return f"{self.name} is {self.value!r}: {self.expected}"


def place_of_call(*inside: str) -> str:
    """The file and line from which these modules, or APScheduler, were called."""
    for frame, line in traceback.walk_stack(inspect.currentframe()):
        module = frame.f_globals.get("__name__", "")
        if module not in (__name__, *inside) and not module.startswith("apscheduler."):
            return f"{shown(frame.f_code.co_filename)}:{line}"
    return ""


@contextmanager
def mistakes_told_with(place: str, but: Collection[str]) -> Iterator[None]:
    """Tell the place of each mistake in a block; a mistake in one of the variables `but` has no place.

    Raises:
        BadSetting, JobExists: as the block raised it, with the place.
    """
    try:
        yield
    except BadSetting as exc:
        if exc.name in but:
            raise
        kind = JobExists if isinstance(exc, JobExists) else BadSetting
        raise kind(exc.name, exc.value, f"{exc.expected} ({place})") from exc


def function(func: object) -> Callable[..., object]:
    """The task: a function, or the function that 'package.module:function' names.

    Raises:
        BadSetting: there is no such function, or its module cannot be imported.
    """
    found = func
    if isinstance(func, str):
        # A module may do anything while it is imported; it may also call sys.exit.
        with foreign_code(partial(_not_imported, func), BaseException):
            found = ref_to_obj(func)
    if not callable(found):
        raise BadSetting("func", found, FUNCTION_HELP)
    return found


def job_id(given: object, func: Callable[..., object]) -> str:
    """The id that a line gives its job, or the name of its function.

    Raises:
        BadSetting: it cannot be an id.
    """
    found = given if given not in (None, "") else str(getattr(func, "__name__", "task"))
    check_id(found)
    return str(found)


def read(job: Job) -> Job:
    """The job, with tuples and dictionaries in place of the collections that its line gave.

    Raises:
        BadSetting: an argument is no such collection.
    """
    return replace(
        job,
        args=_sequence(f"args of job {job.id}", job.args),
        kwargs=_mapping(f"kwargs of job {job.id}", job.kwargs),
        needs=_needs(f"needs of job {job.id}", job.needs),
        dependencies=_texts(f"dependencies of job {job.id}", job.dependencies),
        tags=_texts(f"tags of job {job.id}", job.tags),
    )


def late_seconds(job: str, value: object) -> float:
    """How late a slot may begin: what `misfire_grace_time` says, in seconds.

    Raises:
        BadSetting: the value is no number above 0.
    """
    if value is undefined or value is None:
        return LATE_SECONDS
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not value > 0:
        raise BadSetting(f"misfire_grace_time of job {job}", value, "give a number of seconds above 0")
    return value


def moment(job: str, value: object, zone: tzinfo) -> Any:
    """The moment that `next_run_time` gives; without a zone of its own, it is of `zone`.

    Raises:
        BadSetting: the value is neither a moment nor None.
    """
    try:
        return value if value is undefined else convert_to_datetime(value, zone, "next_run_time")
    except (TypeError, ValueError) as exc:
        raise BadSetting(f"next_run_time of job {job}", value, "give a datetime, or None") from exc


def check_clock_options(
    job: str,
    max_instances: object = undefined,
    coalesce: object = undefined,
    jobstore: str = DEFAULT,
    executor: str = DEFAULT,
) -> None:
    """Refuse what APScheduler's `add_job` takes and a recorded job cannot have.

    Raises:
        BadSetting: runs were to overlap, each lost slot was to run, or the schedule was to be stored.
    """
    for name, value, right, why in (
        ("max_instances", max_instances, (undefined, 1), "leave it out: runs never overlap"),
        ("coalesce", coalesce, (undefined, None, True), "leave it out: lost slots run once, or not at all"),
        ("jobstore", jobstore, (DEFAULT,), "leave it out: schedules are never stored"),
        ("executor", executor, (DEFAULT,), "leave it out: each job has a lane of its own"),
    ):
        if value not in right:
            raise BadSetting(f"{name} of job {job}", value, why)


def check_call(job: Job) -> None:
    """Refuse a job whose function does not take its arguments.

    Raises:
        BadSetting: an argument is missing, or is one too many.
    """
    try:
        check_callable_args(job.func, job.args, job.kwargs)
    except (TypeError, ValueError) as exc:
        said = f"{exc}"[:1].lower() + f"{exc}"[1:]
        raise BadSetting(f"func of job {job.id}", name_of(job.func), f"{said}; correct args or kwargs") from exc


def _not_imported(reference: str, error: BaseException) -> NoReturn:
    why = summary(error.__cause__ or error.__context__ or error)
    raise BadSetting("func", reference, f"{why}; {FUNCTION_HELP}") from error


def _sequence(name: str, value: object) -> tuple[Any, ...]:
    if isinstance(value, (str, bytes, Mapping)) or not isinstance(value, Iterable):
        raise BadSetting(name, value, "give a list")
    return tuple(value)


def _needs(name: str, value: object) -> tuple[Any, ...]:
    found = _sequence(name, value)
    if not all(isinstance(one, get_args(Need)) for one in found):
        raise BadSetting(name, value, "give a list of needs, such as [DatabaseNeed('LAB_DATABASE_URL')]")
    return found


def _texts(name: str, value: object) -> tuple[str, ...]:
    found = _sequence(name, value)
    if not all(isinstance(one, str) and one for one in found):
        raise BadSetting(name, value, "give a list of texts, such as ['crawl', 'process']")
    return found


def _mapping(name: str, value: object) -> dict[str, Any]:
    if not isinstance(value, Mapping) or not all(isinstance(one, str) for one in value):
        raise BadSetting(name, value, "give names and values, such as {'limit': 10}")
    return dict(value)
