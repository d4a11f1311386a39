"""Texts with names in braces: `WorkResponse-{key}`, `results/{pipeline}/{key}.json`; `{{` and `}}` are braces.

What stands in the braces is a name that the text is filled with, or a path into what an item came with: `{body.name}`
is `name` in `body` in its arguments. A text of a message is only ever put in: it is not read as a template itself.
"""

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any
from urllib.parse import quote

from janitor.errors import BadSetting, Rejected
from janitor.items.reading import at_path

_PIECE = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")
_NAME = re.compile(r"[A-Za-z_][\w\-]*(\.[\w\-]+)*")
Find = Callable[[str], Any]
"""Gives what a name stands for; None if there is nothing."""


def names_in(option: str, template: str) -> frozenset[str]:
    """The names in a template.

    Raises:
        BadSetting: a brace has no partner, or what stands in braces is no name; the error has the `option`.
    """
    found = set[str]()
    for piece in _PIECE.finditer(template):
        name = piece[1]
        if piece[0] not in ("{{", "}}") and (name is None or _NAME.fullmatch(name) is None):
            raise BadSetting(option, template, "give names in braces, such as {key}; a brace itself is {{ or }}")
        found |= set() if name is None else {name}
    return frozenset(found)


def check_names(option: str, template: str, known: frozenset[str]) -> None:
    """Refuse a template that has other names than these.

    Raises:
        BadSetting: it has.
    """
    if unknown := sorted(names_in(option, template) - known):
        names = ", ".join(f"{{{name}}}" for name in sorted(known))
        raise BadSetting(option, template, f"{{{unknown[0]}}} is not known here: the names are {names}")


def filled(template: str, find: Find, put: Callable[[str], str] = str, missing: str | None = None) -> str:
    """A template with what its names stand for; `put` makes a value fit for its place.

    Raises:
        Rejected: there is nothing for a name, and no text that stands for it, `missing`.
    """

    def piece(match: re.Match[str]) -> str:
        name = match[1]
        if name is None:
            return match[0][0]
        value = find(name)
        if value is None and missing is None:
            raise Rejected(f"there is no {name} for {template!r}")
        return put(text_of_value(value)) if value is not None else missing or ""

    return _PIECE.sub(piece, template)


def text_of_value(value: Any) -> str:
    """A JSON value as a text: true and false as JSON has them."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def address(template: str, find: Find) -> str:
    """An address with what its names stand for; no value can lead to another path or host.

    Raises:
        Rejected: there is nothing for a name; or a part of the path would be empty, `.` or `..`, which clients and
            servers take for another folder, however they are written.
    """
    path, mark, query = template.partition("?")
    return filled(path, find, _in_path) + mark + filled(query, find, _quoted)


def _in_path(value: str) -> str:
    if value in ("", ".", ".."):
        raise Rejected(f"{value!r} cannot stand in the path of an address")
    return _quoted(value)


def _quoted(value: str) -> str:
    return quote(value.encode("utf-8", "surrogatepass"), safe="")


def finder(known: Mapping[str, Any], *messages: Mapping[str, Any]) -> Find:
    """Finds what names stand for: `known` by name, then at the path in each message, the first that has something."""

    def find(name: str) -> Any:
        if name in known:
            return known[name]
        return found_in(name, *messages)

    return find


def found_in(path: str, *messages: Mapping[str, Any]) -> Any:
    """What stands at a path in the first message that has something there; None if none has.

    An envelope may have the path itself as a name: an inbox keeps `body.id` so.
    """
    for message in messages:
        for value in (message.get(path), at_path(message, path)):
            if value is not None:
                return value
    return None


@lru_cache(maxsize=1_000)
def has_names(template: str) -> bool:
    """Whether anything is to be filled in."""
    return any(piece[1] is not None for piece in _PIECE.finditer(template))
