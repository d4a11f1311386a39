"""The types of Avro fields: how a value of each is encoded, and what is wrong with a value that does not fit.

For each type there are two functions. `write` is fast: it encodes the value, or raises. Only then is `problem` called:
it is slow, and says why.
"""

import math
import struct
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_MILLISECOND = timedelta(milliseconds=1)

MISFIT = (ValueError, TypeError, AttributeError, KeyError)
"""What `Kind.write` raises for a value that does not fit; `Kind.problem` then says why."""


@dataclass(frozen=True)
class Kind:
    """An Avro type: `write` encodes a value or raises; `problem` says why a value does not fit, None if it fits."""

    avro: object
    write: Callable[[Any], bytes]
    problem: Callable[[object], str | None]
    to_json: Callable[[Any], object] = staticmethod(lambda value: value)


@dataclass(frozen=True)
class Field:
    """A field of a record: its kind, and the place of null in its union; None if the field may not be null."""

    name: str
    kind: Kind
    null_at: int | None

    @classmethod
    def of(cls, declared: dict[str, Any]) -> "Field":
        """The field that a schema declares.

        Raises:
            ValueError: its type is neither in `KINDS` nor a union of such a type with null.
        """
        choices = declared["type"] if isinstance(declared["type"], list) else [declared["type"]]
        others = [each for each in choices if each != "null"]
        kinds = [kind for kind in KINDS if others == [kind.avro]]
        if not kinds:
            raise ValueError(f"the field {declared['name']!r} is of a type that is not written: {declared['type']}")
        return cls(declared["name"], kinds[0], choices.index("null") if "null" in choices else None)

    def writer(self) -> Callable[[Any], bytes]:
        """The function that encodes a value of this field."""
        if self.null_at is None:
            return self.kind.write
        write, null, other = self.kind.write, _varint(self.null_at), _varint(1 - self.null_at)
        return lambda value: null if value is None else other + write(value)

    def problem(self, value: object) -> str | None:
        """Why this field cannot be `value`, as one sentence; None if it can."""
        if value is None:
            return f"{self.name} is missing" if self.null_at is None else None
        reason = self.kind.problem(value)
        return f"{self.name} is {reason}" if reason else None

    def to_json(self, value: object) -> object:
        """`value` in Avro's JSON encoding: a value of a union is an object that names the value's type."""
        if value is None:
            return None
        avro = self.kind.avro
        name = avro["type"] if isinstance(avro, dict) else avro
        plain = self.kind.to_json(value)
        return plain if self.null_at is None else {name: plain}


def _varint(number: int) -> bytes:
    """A whole number as Avro writes it: zigzag, then seven bits a byte, the lowest bits first."""
    rest = number * 2 if number >= 0 else number * -2 - 1
    if rest < 128:
        return _BYTES[rest]
    out = bytearray()
    while rest > 127:
        out.append(rest & 127 | 128)
        rest >>= 7
    out.append(rest)
    return bytes(out)


_BYTES = [bytes([each]) for each in range(128)]
_SIZES = [_varint(each) for each in range(1024)]


def _write_string(value: str) -> bytes:
    body = str.encode(value)
    size = len(body)
    return (_SIZES[size] if size < 1024 else _varint(size)) + body


def _string_problem(value: object) -> str | None:
    if not isinstance(value, str):
        return f"{_shown(value)}: it must be text"
    try:
        value.encode()
    except UnicodeEncodeError:
        return f"{_shown(value)}: it holds half a character, which UTF-8 cannot write"
    return None


def _write_instant(value: datetime) -> bytes:
    return _varint((value - _EPOCH) // _MILLISECOND)


def _instant_problem(value: object) -> str | None:
    if not isinstance(value, datetime):
        return f"{_shown(value)}: it must be an instant"
    if value.utcoffset() is None:
        return f"{value.isoformat()} without a time zone: it must be an instant"
    return None


def _whole_number(avro: str, bits: int) -> Kind:
    low, high = -(2 ** (bits - 1)), 2 ** (bits - 1) - 1

    def write(value: int) -> bytes:
        if value.__class__ is not int or not low <= value <= high:
            raise ValueError(value)
        return _varint(value)

    def problem(value: object) -> str | None:
        if not isinstance(value, int) or value.__class__ is not int:
            return f"{_shown(value)}: it must be a whole number"
        return None if low <= value <= high else f"{_shown(value)}: it must be from {low} to {high}"

    return Kind(avro, write, problem)


def _write_double(value: float) -> bytes:
    if value.__class__ not in (float, int) or not math.isfinite(value):
        raise ValueError(value)
    return struct.pack("<d", value)


def _double_problem(value: object) -> str | None:
    if not isinstance(value, (float, int)) or value.__class__ not in (float, int):
        return f"{_shown(value)}: it must be a number"
    return None if math.isfinite(value) else f"{value}: it must be a finite number"


_BOOLEANS = {(bool, False): b"\0", (bool, True): b"\1"}


def _write_boolean(value: bool) -> bytes:
    return _BOOLEANS[value.__class__, value]


def _boolean_problem(value: object) -> str | None:
    return None if isinstance(value, bool) else f"{_shown(value)}: it must be true or false"


def _shown(value: object) -> str:
    text = ascii(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


KINDS = (
    Kind("boolean", _write_boolean, _boolean_problem),
    _whole_number("int", 32),
    _whole_number("long", 64),
    Kind("double", _write_double, _double_problem, float),
    Kind("string", _write_string, _string_problem),
    Kind(
        {"type": "long", "logicalType": "timestamp-millis"},
        _write_instant,
        _instant_problem,
        lambda value: (value - _EPOCH) // _MILLISECOND,
    ),
)
