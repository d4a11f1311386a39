"""What each key of a jobs file takes, and what is wrong with what was given."""

import difflib
import importlib
import inspect
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import Any, get_args

from janitor.errors import BadSetting, summary
from janitor.jobs import schedules
from janitor.jobs.descriptions import job_takes_settings
from janitor.jobs.job import CatchUp, Isolation
from janitor.jobs_file.document import Entry
from janitor.jobs_file.mistakes import Mistake
from janitor.needs import Need
from janitor.settings.settings import Settings

FUNCTION = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_][\w.]*")


class Wrong(ValueError):
    """Raised where a value is not what its key takes; its text says what would be right."""


def described(entry: Entry, settings: Settings) -> tuple[dict[str, Any], list[Mistake]]:
    """An entry as `Scheduler.make_job` takes it, and what is wrong with it; with a mistake it is not whole."""
    found: dict[str, Any] = {}
    mistakes = list(_unknown(entry))
    for key in (key for key in ("id", "function") if key not in entry.values):
        mistakes.append(entry.mistake(key, f"it is missing: {KEYS[key].__doc__}", entry.place))
    for key in (key for key in KEYS if key in entry.values):
        try:
            found[key] = KEYS[key](entry.values[key])
        except Wrong as exc:
            mistakes.append(entry.mistake(key, str(exc)))
    if "schedule" in found:
        mistakes += _schedule_mistakes(entry, found, settings)
    mistakes += _result_mistakes(entry, found)
    if "function" in found and not {"args", "kwargs"} & (entry.values.keys() - found.keys()):
        mistakes += _argument_mistakes(entry, found, settings)
    if "function" in found:
        found["func"] = found.pop("function")
        found["needs"] = needs_of(found["func"])
    return found, mistakes


def needs_of(func: Callable[..., object]) -> tuple[Need, ...]:
    """What a function needs from outside: `NEEDS` of its module, or of the nearest package around it that has one."""
    name = getattr(func, "__module__", None) or ""
    while name:
        if (needs := getattr(sys.modules.get(name), "NEEDS", None)) is not None:
            return tuple(needs)
        name = name.rpartition(".")[0]
    return ()


def _unknown(entry: Entry) -> Iterator[Mistake]:
    for key in (key for key in entry.values if key not in KEYS):
        close = difflib.get_close_matches(key, KEYS, 1)
        help_text = f"did you mean {close[0]!r}?" if close else f"the keys are {', '.join(KEYS)}"
        yield entry.mistake(key, f"there is no such key; {help_text}")


def _schedule_mistakes(entry: Entry, found: Mapping[str, Any], settings: Settings) -> Iterator[Mistake]:
    try:
        schedules.parse(found["schedule"], settings.schedule_timezone, "schedule")
    except BadSetting as exc:
        yield entry.mistake("schedule", f"it is {found['schedule']!r}: {exc.expected}")
    if found["schedule"].strip().lower() == schedules.AFTER and not found.get("dependencies"):
        yield entry.mistake("schedule", "'after' runs a job after its dependencies, and it has none: name them")


def _result_mistakes(entry: Entry, found: Mapping[str, Any]) -> Iterator[Mistake]:
    for job, place in entry.results:
        if job not in found.get("dependencies", ()) and "dependencies" not in entry.values.keys() - found.keys():
            text = f"'!result {job}' needs {job} among the dependencies of this job"
            yield entry.mistake("args or kwargs", text, place)


def _argument_mistakes(entry: Entry, found: dict[str, Any], settings: Settings) -> Iterator[Mistake]:
    func, args, kwargs = found["function"], found.get("args", ()), dict(found.get("kwargs", {}))
    try:
        signature = inspect.signature(func)
    except (TypeError, ValueError):  # some of the interpreter's own functions do not tell
        return
    try:
        if job_takes_settings(func) and "settings" not in signature.bind_partial(*args, **kwargs).arguments:
            kwargs["settings"] = settings
            found["kwargs"] = kwargs
        signature.bind(*args, **kwargs)
    except TypeError as exc:
        key = next((key for key in ("kwargs", "args") if key in entry.values), "function")
        shown = f"{entry.values['function']}{signature}"
        yield entry.mistake(key, f"{shown} refuses them: {exc}")


def _id(value: Any) -> str:
    """give up to 64 letters, digits, '_', '-' or '.'"""
    if not isinstance(value, str) or not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.\-]{0,63}", value):
        raise Wrong(f"it is {value!r}: {_id.__doc__}" + _quoted(value))
    return value


def _text(value: Any) -> str:
    """give a text"""
    if not isinstance(value, str):
        raise Wrong(f"it is {value!r}: give a text" + _quoted(value))
    return value


def _schedule(value: Any) -> str:
    """give a schedule"""
    if not isinstance(value, str):
        raise Wrong(f"it is {value!r}: {schedules.HELP}" + _quoted(value))
    return value


def _function(value: Any) -> Callable[..., object]:
    """give a function as 'package.module:function'"""
    if not isinstance(value, str) or not FUNCTION.fullmatch(value):
        raise Wrong(f"it is {value!r}: give a function as 'package.module:function'")
    module, _, name = value.partition(":")
    try:
        found: Any = importlib.import_module(module)
    except ModuleNotFoundError as exc:
        missing = exc.name or module
        if module == missing or module.startswith(f"{missing}."):
            raise Wrong(f"it is {value!r}: there is no module {missing}; put it where Python finds it") from exc
        raise Wrong(f"it is {value!r}: {module} cannot be imported, as it imports {missing}, which is missing") from exc
    except BaseException as exc:  # a module may do anything when it is imported, SystemExit included
        raise Wrong(f"it is {value!r}: {module} cannot be imported: {summary(exc)}") from exc
    for part in name.split("."):
        if not hasattr(found, part):
            close = difflib.get_close_matches(part, dir(found), 1)
            hint = f"; did you mean {close[0]!r}?" if close else ""
            raise Wrong(f"it is {value!r}: {module} has no {part}{hint}")
        found = getattr(found, part)
    if not callable(found):
        raise Wrong(f"it is {value!r}, which is a {type(found).__name__}: give a function")
    return found  # type: ignore[no-any-return]


def _list(value: Any) -> tuple[Any, ...]:
    """give a list"""
    if not isinstance(value, list):
        raise Wrong(f"it is {value!r}: give a list, such as [1, two]")
    return tuple(value)


def _mapping(value: Any) -> dict[str, Any]:
    """give names and values"""
    if not isinstance(value, dict) or not all(isinstance(name, str) for name in value):
        raise Wrong(f"it is {value!r}: give names and values, such as {{limit: 10}}")
    return value


def _texts(value: Any) -> tuple[str, ...]:
    """give a list of texts"""
    if not isinstance(value, list) or not all(isinstance(item, str) and item for item in value):
        raise Wrong(f"it is {value!r}: give a list of texts, such as [crawl, process]")
    if twice := next((item for item in value if value.count(item) > 1), None):
        raise Wrong(f"it names {twice} twice: keep one")
    return tuple(value)


def _boolean(value: Any) -> bool:
    """give true or false"""
    if not isinstance(value, bool):
        raise Wrong(f"it is {value!r}: give true or false")
    return value


def _seconds(value: Any) -> float:
    """give a number of seconds above 0"""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value < float("inf"):
        raise Wrong(f"it is {value!r}: give a number of seconds above 0")
    return float(value)


def _count(value: Any) -> int:
    """give 0 or more"""
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise Wrong(f"it is {value!r}: give a whole number, 0 or more")
    return value


def _one_of(*words: str) -> Callable[[Any], str]:
    def take(value: Any) -> str:
        if value not in words:
            raise Wrong(f"it is {value!r}: give {' or '.join(words)}")
        return str(value)

    return take


def _quoted(value: Any) -> str:
    return f"; in YAML a text such as '{value}' wants quotes" if isinstance(value, (bool, int, float)) else ""


KEYS: dict[str, Callable[[Any], Any]] = {
    "id": _id,
    "title": _text,
    "notes": _text,
    "function": _function,
    "args": _list,
    "kwargs": _mapping,
    "schedule": _schedule,
    "dependencies": _texts,
    "enabled": _boolean,
    "timeout": _seconds,
    "retries": _count,
    "catch_up": _one_of(*get_args(CatchUp)),
    "isolation": _one_of(*get_args(Isolation)),
    "tags": _texts,
    "protect": _boolean,
    "cleanup": _function,
}
"""Every key, with what reads its value; the docstring says what it takes."""
