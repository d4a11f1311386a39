"""From a pipeline to the entry of a jobs file that would make it. What differs from the defaults is written."""

import dataclasses
import os
from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field
from datetime import timedelta
from pathlib import Path
from typing import Any

from janitor.items.pipeline import Pipeline
from janitor.items.step import Step
from janitor.jobs.descriptions import name_of
from janitor.jobs_file import objects
from janitor.jobs_file.annotations import choices, hints_of, taken
from janitor.jobs_file.functions import function_named, needs_of
from janitor.jobs_file.keys import PIPELINE_KEYS, STEP_KEYS
from janitor.jobs_file.mistakes import Wrong
from janitor.jobs_file.objects import INBOX, OWN_NAME, REPLY, STEP, STORE, USE, Role, dataclass_of, fields_of, role_of
from janitor.jobs_file.steps import FORWARD, FORWARD_CLASS, FUNCTION
from janitor.jobs_file.yaml_texts import comes_back

OTHER = "it holds more than texts, numbers, dates, lists and mappings"


class _Unsayable(Exception):
    """Raised when a jobs file cannot hold a value; its text says why."""


def written(pipeline: Pipeline) -> tuple[dict[str, Any], list[tuple[str, str]]]:
    """The keys of a pipeline that differ from the defaults; and the paths of what cannot be written, each with why."""
    writing = _Writing()
    defaults = {field.name: field for field in dataclasses.fields(Pipeline)}
    values = writing.plain((), pipeline, {key: defaults[key] for key in PIPELINE_KEYS})
    if pipeline.statuses:
        values |= writing.tried(("statuses",), lambda: _plain(pipeline.statuses))
    values["steps"] = {step.name: writing.step(step) for step in pipeline.steps}
    brought = [reply for inbox in pipeline.inboxes if (reply := getattr(inbox, "reply", None)) is not None]
    replies = [reply for reply in pipeline.replies if reply not in brought]
    for key, role, ends in (("inboxes", INBOX, pipeline.inboxes), ("replies", REPLY, replies)):
        written_ends = [(end.name, writing.one((key, end.name), end, role)) for end in ends]
        found = {name: end for name, end in written_ends if end is not None}
        values |= {key: found} if found else {}
    if pipeline.store is not None and (store := writing.one(("store",), pipeline.store, STORE)) is not None:
        values["store"] = store
    if pipeline.schema is not None:
        values |= writing.tried(("schema",), lambda: _schema(pipeline))
    return values, writing.unsayable


class _Writing:
    """Collects what cannot be written."""

    def __init__(self) -> None:
        self.unsayable: list[tuple[str, str]] = []

    def tried(self, path: tuple[str, ...], write: Callable[[], Any]) -> dict[str, Any]:
        """The last name of a path with what `write` gives; nothing if it cannot be written."""
        try:
            return {path[-1]: write()}
        except _Unsayable as exc:
            self.unsayable.append((".".join(path), str(exc)))
            return {}

    def plain(self, path: tuple[str, ...], whole: Any, fields: Mapping[str, Field[Any]]) -> dict[str, Any]:
        """The fields of something that differ from their defaults."""
        found: dict[str, Any] = {}
        for name in (name for name, field in fields.items() if not _is_default(field, getattr(whole, name))):
            found |= self.tried((*path, name), lambda: _plain(getattr(whole, name)))
        return found

    def step(self, step: Step) -> dict[str, Any]:
        """A step, without its name."""
        path = ("steps", step.name)
        fields = {field.name: field for field in dataclasses.fields(Step)}
        key, write = _function(step)
        found = self.tried((*path, key), write)
        if step.needs:
            found |= self.tried((*path, "needs"), lambda: _plain(step.needs))
        found |= self.plain(path, step, {key: fields[key] for key in STEP_KEYS if key not in ("cleanup", "enabled")})
        if step.cleanup is not None:
            cleanup = step.cleanup
            found |= self.tried((*path, "cleanup"), lambda: _named(cleanup))
        if step.enabled is not True:
            found["enabled"] = False
        if isinstance(step.enabled, str):
            self.unsayable.append((".".join((*path, "enabled")), f"why it is off has no place: {step.enabled}"))
        if tuple(step.requires) != needs_of(step.func):
            why = "a step of a jobs file has the NEEDS of its function's module"
            self.unsayable.append((".".join((*path, "requires")), why))
        return found

    def one(self, path: tuple[str, ...], end: Any, role: Role) -> dict[str, Any] | None:
        """An inbox, a reply or the store; None if it cannot be written."""
        without = (OWN_NAME,) if role.named else ()
        return self.tried(path, lambda: _object(end, role, without)).get(path[-1])


def _function(step: Step) -> tuple[str, Callable[[], Any]]:
    """What a step calls: under which key, and how."""
    func = step.func
    if not dataclasses.is_dataclass(func) or isinstance(func, type):
        return FUNCTION, lambda: _named(func)
    # Without a name it would be called as its step.
    own = getattr(func, OWN_NAME, None)
    without = (OWN_NAME,) if own == step.name else ()
    found = objects.fields_of(func)
    named = {OWN_NAME: own} if OWN_NAME in found and not without else {}
    if objects.name_in_house(type(func), STEP) == FORWARD_CLASS:
        return FORWARD, lambda: {**_fields(func, found, without), **named}
    return FUNCTION, lambda: {**_object(func, STEP, without), **named}


def _named(func: Callable[..., object]) -> str:
    name = name_of(func)
    try:
        if function_named(name) == func:
            return name
    except Wrong as exc:
        raise _Unsayable(str(exc)) from exc
    raise _Unsayable(f"{name} is another function than this one")


def _object(value: Any, role: Role, without: tuple[str, ...] = ()) -> dict[str, Any]:
    """An object as `use:` and its fields."""
    kind = type(value)
    if not dataclasses.is_dataclass(kind):
        raise _Unsayable(f"{kind.__name__} is no dataclass")
    name = objects.name_in_house(kind, role) or _named(kind)
    known = objects.fields_of(kind)
    return {USE: name, **_fields(value, known, without)}


def _fields(value: Any, known: Mapping[str, Field[Any]], without: tuple[str, ...] = ()) -> dict[str, Any]:
    hints = hints_of(type(value))
    return {
        name: _field(name, hints.get(name, Any), getattr(value, name))
        for name, field in known.items()
        if name not in without and not _is_default(field, getattr(value, name))
    }


def _field(name: str, hint: Any, value: Any) -> Any:
    """A field of an object, if it comes back as it was."""
    role, kind = role_of(hint), dataclass_of(hint)
    if value is not None and role is not None:
        return _object(value, role)
    if kind is not None and type(value) is kind:
        return _fields(value, fields_of(kind))
    try:
        found = _plain(value)
        if _is_same(value, taken(hint, found), hint):
            return found
    except Wrong as exc:
        raise _Unsayable(f"its {name}: {exc}") from exc
    raise _Unsayable(f"its {name} would come back as another value")


def _is_same(value: Any, back: Any, hint: Any) -> bool:
    """Whether a value came back as it was: a list may be a tuple by then, and a whole number a number."""
    if isinstance(value, (list, tuple)) and isinstance(back, (list, tuple)):
        return len(value) == len(back) and all(_is_same(*pair, hint) for pair in zip(value, back))
    if isinstance(value, Mapping) and isinstance(back, Mapping):
        return list(value) == list(back) and all(_is_same(value[name], back[name], hint) for name in value)
    if isinstance(value, Path) and isinstance(back, str):
        return Path in choices(hint) and str(value) == back
    numbers = isinstance(value, (int, float)) and isinstance(back, float)
    return bool(value == back) and (type(value) is type(back) or numbers or callable(value))


def _plain(value: Any) -> Any:
    """A value as texts, numbers, dates, lists and mappings."""
    if isinstance(value, Path):
        found: Any = str(value)
    elif isinstance(value, timedelta):
        found = value.total_seconds()
    elif isinstance(value, (set, frozenset)):
        found = sorted(value, key=repr)
    elif callable(value):
        found = _named(value)
    else:
        found = _in_yaml(value)
    if not comes_back(found):
        raise _Unsayable(OTHER)
    return found


def _in_yaml(value: Any) -> Any:
    if isinstance(value, (list, tuple)):
        return list(map(_in_yaml, value))
    return {name: _in_yaml(one) for name, one in value.items()} if isinstance(value, Mapping) else value


def _schema(pipeline: Pipeline) -> Any:
    """The schema, or each task's; files with their whole path."""
    given = pipeline.schema
    if pipeline.task_name and isinstance(given, Mapping):
        return {name: _one_schema(one) for name, one in given.items()}
    return _one_schema(given)


def _one_schema(given: Any) -> Any:
    if isinstance(given, (str, os.PathLike)):
        name, hash_sign, pointer = os.fspath(given).partition("#")
        return f"{os.path.abspath(name)}{hash_sign}{pointer}"
    return _plain(given)


def _is_default(field: Field[Any], value: Any) -> bool:
    if field.default is not MISSING:
        return bool(type(value) is type(field.default) and value == field.default)
    return field.default_factory is not MISSING and value == field.default_factory()
