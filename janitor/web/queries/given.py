"""What runs were given and what they returned, as text for a page: no more of it than a person reads."""

import json
import re
from collections.abc import Mapping
from html import escape
from typing import Any

from janitor.jobs.result_texts import decode
from janitor.logs.mask import Mask
from janitor.web.markup import Html, filled

MOST = 20_000
"""How many characters of a value a page shows; the API tells all of it."""
_BEYOND = 4_096
"""How much more than that is looked through for secrets, so that none is cut in two."""
_RESULT = re.compile(r"&quot;!result ([A-Za-z0-9][A-Za-z0-9_.\-]{0,63})&quot;")
_encoder = json.JSONEncoder(indent=2, ensure_ascii=False, default=str)


def json_text(value: object) -> str:
    """The beginning of a value as indented JSON, what JSON does not have as a text; " …" at its end tells of more."""
    text = _beginning(value, MOST)
    return text if len(text) <= MOST else f"{text[:MOST]} …"


def beginning(result: str, mask: Mask) -> tuple[str, bool]:
    """The beginning of a result as indented JSON without secrets, and whether there is more of it."""
    room = _Room(MOST + _BEYOND)
    head = json.dumps(room.fill(json.loads(result)))
    text = mask(_beginning(decode(head), MOST + _BEYOND))
    return text[:MOST], len(text) > MOST or room.left <= 0


def whole(result: str, mask: Mask) -> Any:
    """A result as JSON has it, without secrets: dates and decimals as texts."""
    return _readable(decode(result), mask)


class _Room:
    """Room for the beginning of a value as JSON, which is all that is copied of a large one."""

    def __init__(self, characters: int) -> None:
        self.left = characters

    def fill(self, value: Any) -> Any:
        """As many items of a value, and of those in it, as there is room for."""
        self.left -= 1
        if isinstance(value, list):
            return [self.fill(item) for item in value if self.left > 0]
        if isinstance(value, dict):
            return {name: self.fill(item) for name, item in value.items() if self.left > 0}
        self.left -= len(value) if isinstance(value, str) else 0
        return value


def _readable(value: Any, mask: Mask) -> Any:
    if isinstance(value, str):
        return mask(value)
    if isinstance(value, list):
        return [_readable(item, mask) for item in value]
    if isinstance(value, dict):
        return {mask(name): _readable(item, mask) for name, item in value.items()}
    return value if value is None or isinstance(value, (bool, int, float)) else str(value)


def arguments(config: Mapping[str, Any] | None, used: Mapping[str, int]) -> list[tuple[str, Html]]:
    """The arguments in a job's description by name or place; a result of another job is a link to the run used."""
    config = config or {}
    given = [(f"argument {number}", value) for number, value in enumerate(config.get("args", ()), 1)]
    return [(name, _linked(value, used)) for name, value in (*given, *config.get("kwargs", {}).items())]


def _linked(value: object, used: Mapping[str, int]) -> Html:
    def link(found: re.Match[str]) -> str:
        run = used.get(found[1])
        return found[0] if run is None else filled('<a href="/runs/{}">result of run {} of {}</a>', run, run, found[1])

    return Html(_RESULT.sub(link, escape(json_text(value))))


def _beginning(value: object, most: int) -> str:
    # Piece by piece: of a large value most is never made into text.
    pieces, length = list[str](), 0
    for piece in _encoder.iterencode(value):
        pieces.append(piece)
        length += len(piece)
        if length > most:
            break
    return "".join(pieces)
