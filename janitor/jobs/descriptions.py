"""A job as an entry of a jobs file, also if it was made by `add_job`."""

import functools
import inspect
import json
from collections.abc import Callable
from datetime import date, time
from decimal import Decimal
from functools import partial
from typing import Any

from janitor.errors import summary
from janitor.guard import foreign_code
from janitor.jobs.job import Job
from janitor.jobs.results import Result
from janitor.runs.bounds import shortened
from janitor.settings.settings import Settings

MOST_CHARACTERS = 100_000
"""The longest description that is kept."""
DEFAULTS: dict[str, Any] = {
    "title": "",
    "notes": "",
    "args": [],
    "kwargs": {},
    "schedule": "by hand",
    "dependencies": [],
    "enabled": True,
    "timeout": 3600.0,
    "retries": 0,
    "catch_up": "last",
    "isolation": "thread",
    "own_thread": False,
    "tags": [],
    "protect": False,
    "cleanup": None,
}
"""The value of each key that an entry leaves out."""


def entry(job: Job) -> dict[str, Any]:
    """The keys of a job that differ from the defaults. The settings that its function takes are left out."""
    func, args, kwargs = unfolded(job)
    if job_takes_settings(func):
        kwargs.pop("settings", None)
        args = args[:-1] if args and isinstance(args[-1], Settings) else args
    values = {
        "title": job.title,
        "notes": job.notes,
        "function": name_of(func),
        "args": args,
        "kwargs": kwargs,
        "schedule": job.schedule,
        "dependencies": list(job.dependencies),
        "enabled": job.enabled,
        "timeout": job.timeout,
        "retries": job.retries,
        "catch_up": job.catch_up,
        "isolation": job.isolation,
        "own_thread": job.own_thread,
        "tags": list(job.tags),
        "protect": job.protect,
        "cleanup": None if job.cleanup is None else name_of(job.cleanup),
    }
    return {"id": job.id} | {name: value for name, value in values.items() if value != DEFAULTS.get(name, ...)}


def unfolded(job: Job) -> tuple[Callable[..., object], list[Any], dict[str, Any]]:
    """The function that a job calls at last, and what it is called with; a partial function is unfolded."""
    func, args, kwargs = job.func, list(job.args), dict(job.kwargs)
    while isinstance(func, functools.partial):
        args, kwargs, func = [*func.args, *args], {**func.keywords, **kwargs}, func.func
    return func, args, kwargs


def described(job: Job) -> str:
    """The job's entry as one JSON text, kept with each run; values that JSON does not have become texts.

    This cannot fail, and the text is bounded: an entry that JSON does not have, or that is too long, leaves out what
    the job is called with.
    """
    text = ""
    with foreign_code(partial(_without_arguments, job)) as failed:
        text = json.dumps(entry(job), default=_as_text, ensure_ascii=False, sort_keys=True)
    if failed.instead is not None:
        return failed.instead
    return text if len(text) <= MOST_CHARACTERS else _without_arguments(job, ValueError("they are too long"))


def _without_arguments(job: Job, why: BaseException) -> str:
    said = {"id": job.id, "schedule": job.schedule, "args": [f"(left out: {shortened(summary(why), 1_000)})"]}
    return json.dumps(said)


def name_of(func: Callable[..., object]) -> str:
    """A function as `package.module:function`; as Python shows it, if it has no such name."""
    while isinstance(func, functools.partial):
        func = func.func
    module, name = getattr(func, "__module__", None), getattr(func, "__qualname__", None)
    return f"{module}:{name}" if module and name else repr(func)


def job_takes_settings(func: Callable[..., object]) -> bool:
    """Whether a function has a parameter called `settings`."""
    try:
        return "settings" in inspect.signature(func).parameters
    except (TypeError, ValueError):  # some functions of the interpreter do not tell their parameters
        return False


def _as_text(value: object) -> str:
    if isinstance(value, Result):
        return f"!result {value.job}"
    return str(value) if isinstance(value, (date, time, Decimal)) else f"({type(value).__name__})"
