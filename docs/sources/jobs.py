"""How a job is described: the keywords of `add_job`, and the keys of a jobs file."""

import inspect
from typing import Any

from docs.marked import code, table
from janitor.jobs_file.keys import KEYS
from janitor.scheduler import Scheduler

OWN_DEFAULTS = {"id": "required", "function": "required", "schedule": code("by hand"), "args": "`[]`", "kwargs": "`{}`"}
"""What a jobs file does without a key, if that is not what `add_job` does."""


def keywords(old: str) -> str:
    """Each argument of `add_job`, but those of the trigger."""
    found = list(inspect.signature(Scheduler.add_job).parameters.values())[1:]
    named = [one for one in found if one.kind is not inspect.Parameter.VAR_KEYWORD]
    return table(("argument", "default", "meaning"), [(code(one.name), _python(one.default)) for one in named], old)


def keys(old: str) -> str:
    """Each key of a job in a jobs file."""
    rows = [(code(key), OWN_DEFAULTS.get(key) or _yaml(key), takes(key)) for key in KEYS]
    return table(("key", "default", "takes", "meaning"), rows, old)


def takes(key: str) -> str:
    """What a key takes, in the words with which it refuses another value."""
    if key == "schedule":
        return "a [schedule](settings.md#values)"
    try:
        KEYS[key](object())
    except ValueError as exc:
        return str(exc).rpartition(": give ")[2].replace("|", "\\|")
    raise LookupError(f"the key {key} of a jobs file takes anything: say what is right")


def _python(default: Any) -> str:
    if default is inspect.Parameter.empty:
        return "required"
    return "as in APScheduler" if type(default).__module__.startswith("apscheduler") else code(repr(default))


def _yaml(key: str) -> str:
    default: Any = inspect.signature(Scheduler.add_job).parameters[key].default
    if isinstance(default, bool):
        return code(str(default).lower())
    if isinstance(default, tuple):
        return "`[]`"
    return "" if default in (None, "") else code(f"{default:g}" if isinstance(default, float) else default)
