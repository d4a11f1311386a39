"""Pipelines, their steps and their ends: the options of each, as its docstring tells them."""

import inspect
import re
from collections.abc import Iterator
from dataclasses import MISSING, Field, fields, is_dataclass
from typing import Any

from docs.marked import code, table
from janitor import items

GROUPS: dict[str, tuple[str, ...]] = {
    "steps": ("Pipeline", "Step", "Forward"),
    "inboxes": ("RabbitInbox", "SqsInbox", "TableInbox", "FolderInbox", "Reading"),
    "replies": ("SocketReply", "RabbitReply", "HttpReply", "MailReply"),
    "stores": ("FolderStore", "S3Store"),
}
_OPTION = re.compile(r"^- (?P<names>`\w+`(?:, `\w+`)*): (?P<text>.+?)(?=^- |^$|\Z)", re.MULTILINE | re.DOTALL)
OF_CALL = frozenset({"name", "steps", "inboxes", "replies", "file"})
"""Fields of a pipeline that need no words of their own, or that nobody gives."""


class Untold(LookupError):
    """Raised when a docstring does not tell of an option: write a line for it."""


def steps(_: str) -> str:
    """What a pipeline and its steps take."""
    return _sections("steps")


def inboxes(_: str) -> str:
    """What each inbox takes, and how it reads messages."""
    return _sections("inboxes")


def replies(_: str) -> str:
    """What each way of replying takes."""
    return _sections("replies")


def stores(_: str) -> str:
    """What each store takes."""
    return _sections("stores")


def _sections(group: str) -> str:
    return "\n\n".join(_section(getattr(items, name)) for name in GROUPS[group])


def _section(kind: Any) -> str:
    text = inspect.getdoc(kind) or ""
    told = dict(_told(text))
    known = {field.name: field for field in fields(kind) if field.init and not field.name.startswith("_")}
    # An option may be told of in the words of another.
    silent = sorted(known.keys() - set(re.findall(r"`(\w+)`", text)) - (OF_CALL if kind is items.Pipeline else set()))
    if silent:
        raise Untold(f"the docstring of {kind.__name__} says nothing of {', '.join(silent)}")
    rows = [(code(name), _default(known[name]), words) for name, words in told.items() if name in known]
    before, behind = _OPTION.split(text)[0].strip(), text.rpartition("\n\n")[2]
    more = [] if behind.startswith("- ") or behind == before else [_one_line(behind)]
    options = table(("option", "default", "meaning"), rows)
    return "\n\n".join([f"### {kind.__name__}", _one_line(before), options, *more])


def _told(text: str) -> Iterator[tuple[str, str]]:
    for match in _OPTION.finditer(text):
        for name in re.findall(r"\w+", match["names"]):
            yield name, _one_line(match["text"]).replace("|", "\\|")


def _default(field: "Field[Any]") -> str:
    value = field.default if field.default_factory is MISSING else field.default_factory()
    if value is MISSING:
        return "required"
    if not is_dataclass(value) or isinstance(value, type):
        return code(repr(value))
    own = [f"{one.name}={given!r}" for one in fields(value) if (given := getattr(value, one.name)) != one.default]
    return code(f"{type(value).__name__}({', '.join(own)})")


def _one_line(text: str) -> str:
    return " ".join(text.split())
