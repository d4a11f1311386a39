"""JSON Schemas: what the messages of a pipeline, or of each of its tasks, must look like.

    schema: schemas/request.json                      one file for all
    schema: api.yaml#/components/schemas/WorkRequest  a component of an OpenAPI document
    schema: {align: ..., count: ...}                  one for each task, whose name stands at `task_name`

The package jsonschema is part of the extra `schemas`.
"""

import json
from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from janitor.errors import BadSetting, Rejected, is_a, name_of
from janitor.guard import foreign_code
from janitor.items.reading import NoItem, at_path
from janitor.runs.bounds import listed_near

MOST_TOLD = 3
"""So many mistakes of a message stand in its reason."""
WITHOUT = "a pipeline with a schema needs the package jsonschema: install Janitor with the extra `schemas`"


class Schemas:
    """Checks messages; a pipeline without a schema takes every object."""

    def __init__(self, schema: Any, task_name: str = "") -> None:
        """Nothing is read yet. With `task_name`, a path, `schema` is a mapping from the names of tasks."""
        self._schema, self._task_name = schema, task_name

    def check(self, content: Mapping[str, Any], key: str | None = None) -> None:
        """Look at one message.

        Raises:
            NoItem: it names no known task, or does not fit its schema; the reason tells the first mistakes.
            BadSetting, Rejected: the schema itself cannot be used.
        """
        if self._schema is None:
            return
        validator, told = self._of(content, key), ""
        # A message may have what no check is made for: a number of a thousand digits, for example.
        with foreign_code(_not_checked) as failed:
            told = _mistakes(validator, content)
        told = failed.instead or told
        if told:
            raise NoItem(f"it does not fit its schema: {told}", key=key)

    def require(self) -> None:
        """Read every schema now.

        Raises:
            BadSetting: one cannot be read, or is no schema; or there is no mapping from the names of tasks.
            Rejected: jsonschema is not installed.
        """
        if self._task_name and not isinstance(self._schema, Mapping):
            raise BadSetting("schema", self._schema, f"give a schema for each name of a task at {self._task_name}")
        if self._schema is not None:
            assert self._validators is not None

    def _of(self, content: Mapping[str, Any], key: str | None) -> Any:
        if not self._task_name:
            return self._validators[""]
        name = at_path(content, self._task_name)
        if not isinstance(name, str) or name not in self._validators:
            said = f"its {self._task_name} names no task: the tasks are {listed_near(str(name)[:50], self._validators)}"
            raise NoItem(said, "unknown task", key)
        return self._validators[name]

    @cached_property
    def _validators(self) -> Mapping[str, Any]:
        if self._task_name and isinstance(self._schema, Mapping):
            return {name: _validator(one) for name, one in self._schema.items()}
        return {"": _validator(self._schema)}


def _validator(given: Any) -> Any:
    try:
        from jsonschema import exceptions, validators
    except ImportError as exc:
        raise Rejected(WITHOUT) from exc
    document, pointer = _document(given)
    schema = _at_pointer(document, pointer, given)
    if pointer:  # other components may be referred to from within
        schema = {**document, "$ref": f"#{pointer}"} if isinstance(document, dict) else schema
    kind = validators.validator_for(schema, default=validators.Draft202012Validator)
    try:
        kind.check_schema(_at_pointer(document, pointer, given))
    except exceptions.SchemaError as exc:
        raise BadSetting("schema", str(given)[:200], f"it is no JSON Schema: {exc.message}") from exc
    return kind(schema, format_checker=kind.FORMAT_CHECKER)


def _document(given: Any) -> tuple[Any, str]:
    if isinstance(given, (Mapping, bool)):
        return (dict(given) if isinstance(given, Mapping) else given), ""
    # Imported here: few pipelines have a schema in a file. Verbs and an idle daemon do without its time and its memory.
    import yaml

    path, _, pointer = str(given).partition("#")
    try:
        text = Path(path).read_text(encoding="utf-8")
        return (json.loads(text) if path.endswith(".json") else yaml.safe_load(text)), pointer
    except OSError as exc:
        raise BadSetting("schema", given, f"give a file that can be read: {exc.strerror}") from exc
    except (ValueError, yaml.YAMLError) as exc:
        raise BadSetting("schema", given, f"give a file with JSON or YAML: {str(exc).splitlines()[0]}") from exc


def _at_pointer(document: Any, pointer: str, given: Any) -> Any:
    for name in [part for part in pointer.split("/") if part]:
        plain = name.replace("~1", "/").replace("~0", "~")
        if not isinstance(document, Mapping) or plain not in document:
            raise BadSetting("schema", given, f"there is no {pointer} in the file")
        document = document[plain]
    return document


def _mistakes(validator: Any, content: Mapping[str, Any]) -> str:
    """The first mistakes of a message; empty if it has none."""
    found = sorted(validator.iter_errors(content), key=lambda error: list(map(str, error.absolute_path)))
    told = "; ".join(_told(error) for error in found[:MOST_TOLD])
    return told + (f"; and {len(found) - MOST_TOLD} mistakes more" if len(found) > MOST_TOLD else "")


def _not_checked(error: BaseException) -> str:
    """What is wrong with a message for which the check itself has failed; for all else the schema is to blame."""
    if not is_a(error, ArithmeticError) and not is_a(error, RecursionError):
        raise error
    return f"it cannot be checked: {name_of(error)}"


def _told(error: Any) -> str:
    """A mistake without the message's own words: they may be secret."""
    where = "/".join(map(str, error.absolute_path)) or "the message"
    rules: Mapping[str, Callable[[], str]] = {
        "required": lambda: f"it lacks {', '.join(sorted(set(error.validator_value) - set(error.instance)))}",
        "type": lambda: f"it must be of type {error.validator_value}",
        "enum": lambda: f"it must be one of {json.dumps(error.validator_value, default=str)[:200]}",
        "additionalProperties": lambda: "it has properties that are not known",
    }
    if error.validator in rules:
        return f"{where}: {rules[error.validator]()}"
    return f"{where}: it breaks {error.validator}: {json.dumps(error.validator_value, default=str)[:100]}"
