"""The answer of a compute worker: a result, or an error with a code and a message for people.

{"error": {"code": "E7", "message": "too few cells"}}      the item has failed: "too few cells", with the code E7
{"error": "too few cells"}                                 the same, without a code
{"error": null, "value": 7}                                a result
a status of 400 or more, or a redirect                     an error, with what its answer says
no JSON, or half of it                                     an error
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from janitor.http import Response
from janitor.items.reading import at_path
from janitor.items.templates import text_of_value

MOST_TOLD = 1_000
"""So many characters of a message for people."""
MOST_BODY = 300
"""So many characters of an answer that is no error of its own."""


@dataclass(frozen=True)
class Trouble:
    """What an answer says has gone wrong: a reason for people, and a code for programs."""

    reason: str
    code: str | None


@dataclass(frozen=True)
class Fields:
    """Where an answer says that something has gone wrong.

    `error` is the path of the error, the whole answer if empty; `code` and `message` are paths in it.
    """

    error: str = "error"
    code: str = "code"
    message: str = "message"


def read(response: Response, fields: Fields, where: str) -> tuple[Any, Trouble | None]:
    """The answer as a JSON value, and what it says has gone wrong; `where` names in a reason who answered."""
    content, no_json = _json(response.body)
    trouble = _trouble(content, fields, where) if not no_json else None
    if trouble is not None:
        return content, trouble
    if not 200 <= response.status < 300:
        said = " ".join(response.body[: 4 * MOST_BODY].decode("utf-8", "replace").split())[:MOST_BODY]
        return content, Trouble(f"{where} answered {response.status}{f': {said}' if said else ''}", "refused")
    if no_json:
        return None, Trouble(f"{where} answered with no JSON: {no_json}", "bad answer")
    return content, None


def _json(body: bytes) -> tuple[Any, str]:
    """A body as a JSON value, and why it is none."""
    if not body:
        return None, "its answer is empty"
    try:
        return json.loads(body.decode("utf-8"), parse_constant=_no_number), ""
    except (ValueError, RecursionError) as exc:
        return None, " ".join(str(exc).split())[:MOST_BODY] or type(exc).__name__


def _no_number(word: str) -> float:
    raise ValueError(f"{word} is no number in JSON")


def _trouble(content: Any, fields: Fields, where: str) -> Trouble | None:
    error = at_path(content, fields.error) if fields.error else content
    if isinstance(error, Mapping):
        code, message = at_path(error, fields.code), at_path(error, fields.message)
        if not fields.error and code is None and message is None:
            return None
        told = None if code is None else text_of_value(code)
        return Trouble(_short(message) or f"{where} says that it failed, with the code {told or 'of none'}", told)
    if not fields.error or error in (None, False, ""):
        return None
    return Trouble(_short(error) or f"{where} says that it failed", None)


def _short(message: Any) -> str:
    """A message for people, on one line; empty if it is none."""
    if message is None or isinstance(message, bool):
        return ""
    said = message if isinstance(message, str) else json.dumps(message, ensure_ascii=False)
    return " ".join(said.split())[:MOST_TOLD]
