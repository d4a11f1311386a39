"""The plain types of Avro: how a value of each is encoded, and what is wrong with a value that does not fit.

For each type there are two functions. `write` is fast: it encodes the value, or raises. Only then is `problem` called:
it is slow, and says why. `avro_logical.py` has the logical types, `avro_types.py` those that are made of others.
"""

import math
import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

MISFIT = (ValueError, TypeError, AttributeError, KeyError, OverflowError, struct.error)
"""What `Kind.write` raises for a value that does not fit; `Kind.problem` then says why."""


@dataclass(frozen=True)
class Kind:
    """An Avro type: `write` encodes a value or raises; `problem` says why a value does not fit, None if it fits.

    `name` names the type in Avro's JSON encoding.
    """

    name: str
    write: Callable[[Any], bytes]
    problem: Callable[[object], str | None]
    to_json: Callable[[Any], object] = staticmethod(lambda value: value)


def varint(number: int) -> bytes:
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
_SIZES = [varint(each) for each in range(1024)]


def write_string(value: str) -> bytes:
    """A text as UTF-8, with its size before it."""
    body = str.encode(value)
    size = len(body)
    return (_SIZES[size] if size < 1024 else varint(size)) + body


def string_problem(value: object) -> str | None:
    """Why a value is no text that can be written; None if it is."""
    if not isinstance(value, str):
        return f"{shown(value)}: it must be text"
    try:
        value.encode()
    except UnicodeEncodeError:
        return f"{shown(value)}: it holds half a character, which UTF-8 cannot write"
    return None


def whole_number(avro: str, bits: int) -> Kind:
    """The kind of whole numbers of so many bits."""
    low, high = -(2 ** (bits - 1)), 2 ** (bits - 1) - 1

    def write(value: int) -> bytes:
        if value.__class__ is not int or not low <= value <= high:
            raise ValueError(value)
        return varint(value)

    def problem(value: object) -> str | None:
        if not isinstance(value, int) or value.__class__ is not int:
            return f"{shown(value)}: it must be a whole number"
        return None if low <= value <= high else f"{shown(value)}: it must be from {low} to {high}"

    return Kind(avro, write, problem)


def _floating(avro: str, form: str) -> Kind:
    """The kind of numbers that `struct` packs in a form."""

    def write(value: float) -> bytes:
        if value.__class__ not in (float, int) or not math.isfinite(value):
            raise ValueError(value)
        return struct.pack(form, value)

    def problem(value: object) -> str | None:
        if not isinstance(value, (float, int)) or value.__class__ not in (float, int):
            return f"{shown(value)}: it must be a number"
        try:
            write(value)
        except MISFIT:
            return f"{shown(value)}: it must be a finite number that {avro} can hold"
        return None

    return Kind(avro, write, problem, float)


def write_bytes(value: bytes) -> bytes:
    """Bytes with their size before them."""
    if value.__class__ is not bytes:
        raise ValueError(value)
    return varint(len(value)) + value


def _bytes_problem(value: object) -> str | None:
    return None if value.__class__ is bytes else f"{shown(value)}: it must be bytes"


def bytes_to_json(value: bytes) -> str:
    """Bytes as Avro's JSON encoding has them: a character for each byte."""
    return value.decode("latin-1")


_BOOLEANS = {(bool, False): b"\0", (bool, True): b"\1"}


def _write_boolean(value: bool) -> bytes:
    return _BOOLEANS[value.__class__, value]


def _boolean_problem(value: object) -> str | None:
    return None if isinstance(value, bool) else f"{shown(value)}: it must be true or false"


def shown(value: object) -> str:
    """A value as an error text shows it."""
    text = ascii(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


KINDS = {
    kind.name: kind
    for kind in (
        Kind("boolean", _write_boolean, _boolean_problem),
        whole_number("int", 32),
        whole_number("long", 64),
        _floating("float", "<f"),
        _floating("double", "<d"),
        Kind("string", write_string, string_problem),
        Kind("bytes", write_bytes, _bytes_problem, bytes_to_json),
    )
}
"""The plain types by their names."""
