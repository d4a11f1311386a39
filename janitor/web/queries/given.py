"""What runs were given and what they returned, as text for a page: no more than a person reads.

A result may be a megabyte. So the beginning of a value is copied, made into text and searched for secrets, and not the
whole: `_Room` copies, and `_beginning` stops at the first piece of JSON beyond what is wanted.
"""

import json
import re
from collections.abc import Mapping
from typing import Any

from markupsafe import Markup, escape

from janitor.jobs.result_texts import decode
from janitor.logs.escapes import LAID_OUT, visible
from janitor.logs.mask import Mask

MOST = 20_000
"""How many characters of a value a page shows; the API tells the whole value."""
_BEYOND = 4_096
"""How many characters more are searched for secrets: no secret is cut in two, and so half shown."""
_RESULT = re.compile(r'"!result ([A-Za-z0-9][A-Za-z0-9_.\-]{0,63})"')
"""An argument that is another job's result, as a job's description writes it."""
_encoder = json.JSONEncoder(indent=2, ensure_ascii=False, default=str)


def json_text(value: object) -> str:
    """The beginning of a value as indented JSON; " …" at its end says that there is more.

    A value that JSON does not have becomes a text.
    """
    text = _beginning(value, MOST)
    return text if len(text) <= MOST else f"{text[:MOST]} …"


def beginning(result: str, mask: Mask) -> tuple[str, bool]:
    """The beginning of a result as indented JSON without secrets, and whether there is more."""
    room = _Room(MOST + _BEYOND)
    head = json.dumps(room.fill(json.loads(result)))
    read = _beginning(decode(head), MOST + _BEYOND)
    text = mask(read)
    # A mask is shorter than its secret: what was read may be cut although `text` is short enough.
    return text[:MOST], len(text) > MOST or len(read) > MOST + _BEYOND or room.left <= 0


def whole(result: str, mask: Mask) -> Any:
    """A result as JSON has it, without secrets; dates and decimals become texts."""
    return _plain(mask.value(decode(result)))


def arguments(config: Mapping[str, Any] | None, used: Mapping[str, int]) -> list[tuple[str, Markup]]:
    """The arguments in a job's description, each with its name or place.

    `used` holds the run that was used of each job: an argument that is a job's result links to that run.
    """
    config = config or {}
    given = [(f"argument {number}", value) for number, value in enumerate(config.get("args", ()), 1)]
    return [(name, _linked(value, used)) for name, value in (*given, *config.get("kwargs", {}).items())]


class _Room:
    """Room for the beginning of a value: so many characters of JSON."""

    def __init__(self, characters: int) -> None:
        self.left = characters

    def fill(self, value: Any) -> Any:
        """As many items of a value, and of the values in it, as there is room for."""
        self.left -= 1
        if isinstance(value, list):
            return [self.fill(item) for item in value if self.left > 0]
        if isinstance(value, dict):
            return {name: self.fill(item) for name, item in value.items() if self.left > 0}
        self.left -= len(value) if isinstance(value, str) else 0
        return value


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {name: _plain(item) for name, item in value.items()}
    return value if value is None or isinstance(value, (str, bool, int, float)) else str(value)


def _linked(value: object, used: Mapping[str, int]) -> Markup:
    text, pieces, end = visible(json_text(value), keep=LAID_OUT), list[str](), 0
    for found in _RESULT.finditer(text):
        if run := used.get(found[1]):
            link = Markup('<a href="/runs/{}">result of run {} of {}</a>').format(run, run, found[1])
            pieces += [escape(text[end : found.start()]), link]
            end = found.end()
    return Markup("").join([*pieces, text[end:]])


def _beginning(value: object, most: int) -> str:
    pieces, length = list[str](), 0
    for piece in _encoder.iterencode(value):
        pieces.append(piece)
        length += len(piece)
        if length > most:
            break
    return "".join(pieces)
