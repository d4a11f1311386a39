"""Checks one entry of a jobs file by itself: its keys, its values, its schedule, and its function's arguments."""

import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from janitor.errors import BadSetting, summary
from janitor.guard import foreign_code
from janitor.jobs import schedules
from janitor.jobs.descriptions import job_takes_settings
from janitor.jobs_file.entry import Entry
from janitor.jobs_file.functions import needs_of
from janitor.jobs_file.keys import KEYS, REQUIRED, no_such_key
from janitor.jobs_file.mistakes import Mistake, Wrong, shown
from janitor.settings.settings import Settings


@dataclass(frozen=True)
class Described:
    """An entry, and its `values` as `Scheduler.make_job` takes them. A key with a mistake is missing in them."""

    entry: Entry
    values: dict[str, Any]
    mistakes: list[Mistake]


def described(entry: Entry, settings: Settings) -> Described:
    """Read an entry's values, and find every mistake in them."""
    # A module that is imported may do anything, also when it is asked for its parts.
    with foreign_code(partial(_unreadable, entry)) as reading:
        return _described(entry, settings)
    return Described(entry, {}, [reading.instead] if reading.instead else [])


def _unreadable(entry: Entry, error: BaseException) -> Mistake:
    return Mistake(entry.place, entry.name, f"its values cannot be taken: {summary(error)[:300]}")


def _described(entry: Entry, settings: Settings) -> Described:
    found, mistakes = _values(entry)
    mistakes += _schedule_mistakes(entry, found, settings)
    mistakes += _result_mistakes(entry, found)
    if "function" not in found:
        return Described(entry, found, mistakes)
    func, given = found.pop("function"), entry.values.keys() & {"args", "kwargs"}
    # If args or kwargs are refused already, nothing can be said of the call.
    if given <= found.keys():
        kwargs, refused = _arguments(entry, func, found, settings)
        found = {**found, "kwargs": kwargs}
        mistakes += refused
    return Described(entry, {**found, "func": func, "needs": needs_of(func)}, mistakes)


def _values(entry: Entry) -> tuple[dict[str, Any], list[Mistake]]:
    """Read each key's value by itself."""
    found: dict[str, Any] = {}
    mistakes = [*_unknown_keys(entry), *_missing_keys(entry)]
    for key in (key for key in KEYS if key in entry.values):
        try:
            found[key] = KEYS[key](entry.values[key])
        except Wrong as exc:
            mistakes.append(entry.mistake(key, str(exc)))
    return found, mistakes


def _unknown_keys(entry: Entry) -> Iterator[Mistake]:
    for number, key in enumerate(key for key in entry.values if key not in KEYS):
        yield entry.mistake(key, no_such_key(key, KEYS, number))


def _missing_keys(entry: Entry) -> Iterator[Mistake]:
    for key, help_text in REQUIRED.items():
        if key not in entry.values:
            yield entry.mistake(key, f"it is missing: {help_text}", entry.place)


def _schedule_mistakes(entry: Entry, found: Mapping[str, Any], settings: Settings) -> Iterator[Mistake]:
    if "schedule" not in found:
        return
    try:
        schedules.parse(found["schedule"], settings.schedule_timezone, "schedule")
    except BadSetting as exc:
        yield entry.mistake("schedule", f"it is {shown(found['schedule'])}: {exc.expected}")
    if found["schedule"].strip().lower() == schedules.AFTER and not found.get("dependencies"):
        yield entry.mistake("schedule", "'after' runs a job after its dependencies, and it has none: name them")


def _result_mistakes(entry: Entry, found: Mapping[str, Any]) -> Iterator[Mistake]:
    """Find each `!result` that names no dependency; nothing can be said if the dependencies are refused already."""
    if "dependencies" in entry.values.keys() - found.keys():
        return
    for job, place in entry.results:
        if job not in found.get("dependencies", ()):
            text = f"'!result {job}' needs {job} among the dependencies of this job"
            yield entry.mistake("args or kwargs", text, place)


def _arguments(
    entry: Entry, func: Callable[..., object], found: Mapping[str, Any], settings: Settings
) -> tuple[dict[str, Any], list[Mistake]]:
    """Return the keyword arguments, and what the function refuses.

    A function with an argument `settings` gets the settings, if the entry does not give it.
    """
    args, kwargs = found.get("args", ()), found.get("kwargs", {})
    try:
        signature = inspect.signature(func)
    except (TypeError, ValueError):  # some functions of the interpreter have no signature
        return kwargs, []
    try:
        if job_takes_settings(func) and "settings" not in signature.bind_partial(*args, **kwargs).arguments:
            kwargs = {**kwargs, "settings": settings}
        signature.bind(*args, **kwargs)
    except TypeError as exc:
        key = next((key for key in ("kwargs", "args") if key in entry.values), "function")
        return kwargs, [entry.mistake(key, f"{entry.values['function']}{signature} refuses them: {exc}")]
    return kwargs, []
