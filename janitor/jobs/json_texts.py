"""JSON texts that were stored, by another release perhaps, or changed by hand: whatever they hold, they can be read."""

import json
from typing import Any

from janitor.guard import foreign_code

LARGEST = 2**63
"""A whole number is smaller, and its negative is not larger: programs read it as 64 bits."""
MOST_DIGITS = 300


def read(text: str | None) -> Any:
    """The value in a JSON text; None if there is no text, or no value in it.

    NaN and the infinities become None, and a number beyond 64 bits the nearest float. Halves of characters become
    question marks.
    """
    found: Any = None
    with foreign_code(_unreadable):
        found = _DECODER.decode(text) if text else None
        if text and "\\ud" in text:
            found = json.loads(json.dumps(found, ensure_ascii=False).encode("utf-8", "replace"))
    return found


def _whole(digits: str) -> int | float | None:
    if len(digits) > MOST_DIGITS:
        return None
    number = int(digits)
    return number if -LARGEST <= number < LARGEST else float(number)


def _float(digits: str) -> float | None:
    number = float(digits)
    return number if abs(number) < float("inf") else None


def _unreadable(what: object) -> None:
    """NaN, an infinity, or what is no JSON: it becomes None."""


_DECODER = json.JSONDecoder(parse_constant=_unreadable, parse_int=_whole, parse_float=_float)
