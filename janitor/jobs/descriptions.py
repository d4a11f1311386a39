"""A job as its description in a jobs file would have it, whichever way it was made."""

import functools
import inspect
import json
from collections.abc import Callable
from datetime import date, time
from decimal import Decimal
from typing import Any

from janitor.jobs.job import Job
from janitor.jobs.results import Result
from janitor.settings.settings import Settings

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
    "tags": [],
    "protect": False,
    "cleanup": None,
}
"""What a key means that is left out."""


def entry(job: Job) -> dict[str, Any]:
    """The keys and values of a job that are not the defaults; settings that its function declares are left out."""
    args, kwargs = list(job.args), dict(job.kwargs)
    if job_takes_settings(job.func):
        kwargs.pop("settings", None)
        args = args[:-1] if args and isinstance(args[-1], Settings) else args
    values = {
        "title": job.title,
        "notes": job.notes,
        "function": name_of(job.func),
        "args": args,
        "kwargs": kwargs,
        "schedule": job.schedule,
        "dependencies": list(job.dependencies),
        "enabled": job.enabled,
        "timeout": job.timeout,
        "retries": job.retries,
        "catch_up": job.catch_up,
        "isolation": job.isolation,
        "tags": list(job.tags),
        "protect": job.protect,
        "cleanup": None if job.cleanup is None else name_of(job.cleanup),
    }
    return {"id": job.id} | {name: value for name, value in values.items() if value != DEFAULTS.get(name, ...)}


def described(job: Job) -> str:
    """The same as one JSON text, for the record of a run; what JSON does not have is told as a text."""
    return json.dumps(entry(job), default=_as_text, ensure_ascii=False, sort_keys=True)


def name_of(func: Callable[..., object]) -> str:
    """A function as `package.module:function`; how Python shows it, where it has no such name."""
    func = func.func if isinstance(func, functools.partial) else func
    module, name = getattr(func, "__module__", None), getattr(func, "__qualname__", None)
    return f"{module}:{name}" if module and name else repr(func)


def job_takes_settings(func: Callable[..., object]) -> bool:
    """Whether a function has a parameter called `settings`."""
    try:
        return "settings" in inspect.signature(func).parameters
    except (TypeError, ValueError):  # some of the interpreter's own functions do not tell
        return False


def _as_text(value: object) -> str:
    if isinstance(value, Result):
        return f"!result {value.job}"
    return str(value) if isinstance(value, (date, time, Decimal)) else f"({type(value).__name__})"
