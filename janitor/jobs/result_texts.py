"""A task's result as JSON text, and back; never a pickle.

JSON has no dates, times and decimals. Each becomes a mapping with one key, which says what it was:

    date(2026, 1, 2)        {"$date": "2026-01-02"}
    Decimal("1.10")         {"$decimal": "1.10"}
    {"$date": "anything"}   {"$mapping": {"$date": "anything"}}    a task's own mapping that looks the same
"""

import json
import math
from collections.abc import Mapping
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any, Literal

from janitor.errors import Rejected
from janitor.guard import foreign_code

Keeps = Literal["no", "if it fits", "always"]
"""Whether a run keeps its result: `if it fits` leaves out what is no result, with `always` such a run fails."""
MOST_BYTES = 1_048_576
"""The largest result that is kept: 1 MB of JSON."""
MOST_BITS = 13_000
"""The largest whole number that is kept: Python writes and reads no more than 4,300 digits."""
DEEPEST = 100
"""How deep lists and mappings may lie within one another."""
INSTEAD = "write it to a file or a table, and make its place the result"
_OF_TEXT: dict[str, Any] = {
    "$datetime": datetime.fromisoformat,
    "$date": date.fromisoformat,
    "$time": time.fromisoformat,
    "$decimal": Decimal,
}


def encode(value: object) -> str:
    """A result as JSON text. `decode` gives it back the same, but for tuples: they come back as lists.

    Raises:
        Rejected: a part of the result is no JSON value, or the result is too large; the error names the part.
    """
    plain = _Plain().of(value, "the result", DEEPEST)
    try:
        text = json.dumps(plain, ensure_ascii=False, separators=(",", ":"))
        size = len(text.encode())
    except UnicodeEncodeError:  # half a character: no database takes it as UTF-8
        text = json.dumps(plain, separators=(",", ":"))
        size = len(text)
    if size > MOST_BYTES:
        raise Rejected(f"the result is {size:,} bytes of JSON, and at most {MOST_BYTES:,} are kept: {INSTEAD}")
    return text


def decode(text: str) -> Any:
    """The result that a text holds."""
    return _back(json.loads(text))


def show(text: str) -> str:
    """A result's text for people: indented JSON, with dates and decimals as texts; as it is if it is no result."""
    shown = text
    with foreign_code(_as_it_is):
        shown = json.dumps(decode(text), ensure_ascii=False, indent=2, default=str)
    return shown


def _as_it_is(error: BaseException) -> None:
    """The text was changed by hand."""


class _Plain:
    """Makes JSON values, and stops once they are certainly too large: a list may hold the same list many times."""

    def __init__(self) -> None:
        self._left = 2 * MOST_BYTES

    def of(self, value: Any, where: str, room: int) -> Any:
        """A value that JSON has."""
        self._spend(1, room, where)
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, str):
            self._spend(len(value), room, where)
            return value
        if isinstance(value, (int, float)):
            return _number(value, where)
        if isinstance(value, (list, tuple)):
            return [self.of(item, f"{where}[{at}]", room - 1) for at, item in enumerate(value)]
        if isinstance(value, Mapping):
            return self._mapping(value, where, room)
        for kind, name in ((datetime, "$datetime"), (date, "$date"), (time, "$time")):
            if isinstance(value, kind):
                return {name: value.isoformat()}
        if isinstance(value, Decimal):
            return {"$decimal": str(value)}
        raise Rejected(f"{where} is of type {type(value).__name__}: a result holds JSON values, dates and decimals")

    def _mapping(self, value: Mapping[Any, Any], where: str, room: int) -> dict[str, Any]:
        plain = {}
        for name, item in value.items():
            if not isinstance(name, str):
                raise Rejected(f"{where} has the key {name!r} of type {type(name).__name__}: keys are texts in JSON")
            plain[name] = self.of(item, f"{where}[{name!r}]", room - 1)
        # See the map above: this mapping would come back as a date or the like.
        return {"$mapping": plain} if len(plain) == 1 and next(iter(plain)).startswith("$") else plain

    def _spend(self, characters: int, room: int, where: str) -> None:
        self._left -= characters
        if room < 0:
            raise Rejected(f"{where} lies more than {DEEPEST} levels deep: a result holds JSON values")
        if self._left < 0:
            raise Rejected(f"the result is far over {MOST_BYTES:,} bytes of JSON: {INSTEAD}")


def _number(value: int | float, where: str) -> int | float:
    if isinstance(value, int):
        if value.bit_length() > MOST_BITS:
            raise Rejected(f"{where} is a whole number of {value.bit_length():,} bits: return it as a text")
    elif not math.isfinite(value):
        raise Rejected(f"{where} is {value}, which JSON does not have: return None, or a text")
    return value


def _back(value: Any) -> Any:
    if isinstance(value, list):
        return [_back(item) for item in value]
    if not isinstance(value, dict):
        return value
    if len(value) == 1:
        ((name, inner),) = value.items()
        if name in _OF_TEXT:
            return _OF_TEXT[name](inner)
        value = inner if name == "$mapping" else value
    return {name: _back(item) for name, item in value.items()}
