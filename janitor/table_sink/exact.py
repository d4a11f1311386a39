"""Kinds of columns whose values need care to be compared exactly.

    kind      as a task gives it          as it is prepared, and as MySQL's driver reads it    as text
    decimal   Decimal, int, float         Decimal with the column's decimals                   12.50
    double    float, int                  float                                                12.5
    enum      str                         str                                                  a
    set       set, list or str            str, in the table's order                            a,b
    binary    bytes                       bytes; a BINARY is filled up with zeros              0AFF
    bit       int, bool                   int                                                  5
    time      time or timedelta           timedelta, at the column's own precision             -12:30:00.5
    year      int                         int                                                  2026
    uuid      UUID or str                 str                                                  in small letters

SQLite's driver gives decimals, times and uuids as text.
"""

import re
from collections.abc import Callable
from datetime import time, timedelta
from decimal import Context, Decimal, InvalidOperation
from math import isfinite
from typing import Any, Protocol
from uuid import UUID

_UUID = re.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_WIDE = Context(prec=100)
_LONGEST_TIME = timedelta(hours=838, minutes=59, seconds=59)


class Declared(Protocol):
    """What is known of a column: its name, kind and limits."""

    @property
    def name(self) -> str:
        """See `Column`."""

    @property
    def kind(self) -> str:
        """See `Column`."""

    @property
    def low(self) -> Any:
        """See `Column`."""

    @property
    def high(self) -> Any:
        """See `Column`."""

    @property
    def digits(self) -> int:
        """See `Column`."""

    @property
    def octets(self) -> int | None:
        """See `Column`."""

    @property
    def padded(self) -> bool:
        """See `Column`."""

    @property
    def members(self) -> tuple[str, ...]:
        """See `Column`."""


def prepared(column: Declared, value: Any) -> Any:
    """A value as it is stored. A value of a wrong type stays as it is: `misfit` names it."""
    return value if value is None else _PREPARED[column.kind](column, value)


def misfit(column: Declared, value: Any) -> str | None:
    """Why a prepared value of the right type does not fit, in words; None if it fits."""
    if column.kind in ("decimal", "double") and not isfinite(value):
        return f"{column.name} {value} is no finite number"
    if column.kind == "decimal" and value != _scaled(column, value):
        return f"{column.name} {value} has more decimals than the table keeps, {column.digits}"
    if column.kind in ("enum", "set"):
        parts = [value] if column.kind == "enum" else value.split(",") if value else []
        wrong = next((part for part in parts if part not in column.members), None)
        return None if wrong is None else f"{column.name} is {wrong!r}, which is none of {', '.join(column.members)}"
    if column.kind == "binary" and column.octets is not None and len(value) > column.octets:
        return f"{column.name} has {len(value)} bytes; the table holds at most {column.octets}"
    if column.kind == "uuid" and not _UUID.fullmatch(value):
        return f"{column.name} is {value!r}, which is no uuid"
    if column.low is not None and not column.low <= value <= column.high and (column.kind, value) != ("year", 0):
        return f"{column.name} {value} is outside what the table can hold, {column.low} to {column.high}"
    return None


def text(column: Declared, value: Any) -> str:
    """A prepared value as the server writes it as text."""
    if isinstance(value, bytes):
        return value.hex().upper()
    if isinstance(value, timedelta):
        return _time_text(column, value)
    if isinstance(value, float):
        # The servers write whole numbers without a point. If they write another number differently, the row is
        # looked at by itself.
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    return str(value)


def parsed(column: Declared, text: str) -> Any:
    """A prepared value from its text."""
    if column.kind == "time":
        hours, minutes, seconds = text.lstrip("-").split(":")
        whole, _, part = seconds.partition(".")
        found = timedelta(
            hours=int(hours), minutes=int(minutes), seconds=int(whole), microseconds=int(part.ljust(6, "0"))
        )
        return -found if text.startswith("-") else found
    parse: dict[str, Callable[[str], Any]] = {
        "decimal": Decimal,
        "double": float,
        "binary": bytes.fromhex,
        "bit": int,
        "year": int,
    }
    return parse.get(column.kind, str)(text)


def wire(value: Any) -> str:
    """A value that JSON does not know, for a statement in JSON; the server makes the value of it again."""
    if isinstance(value, bytes):
        return value.hex()
    return str(value) if isinstance(value, Decimal) else _time_text(None, value)


def _scaled(column: Declared, value: Decimal) -> Decimal:
    try:
        return value.quantize(Decimal(1).scaleb(-column.digits), context=_WIDE)
    except InvalidOperation:
        return value


def _decimal(column: Declared, value: Any) -> Any:
    if type(value) is float and isfinite(value):
        value = Decimal(repr(value))
    elif type(value) is int:
        value = Decimal(value)
    if not isinstance(value, Decimal) or not value.is_finite():
        return value
    scaled = _scaled(column, value)
    return (abs(scaled) if not scaled else scaled) if scaled == value else value


def _double(column: Declared, value: Any) -> Any:
    if type(value) is int and abs(value) <= 2**53:
        return float(value)
    # 0.0 and -0.0 are the same number.
    return value + 0.0 if type(value) is float else value


def _set(column: Declared, value: Any) -> Any:
    if isinstance(value, str):
        value = value.split(",") if value else []
    if not isinstance(value, (set, frozenset, list, tuple)) or not all(isinstance(part, str) for part in value):
        return value
    return ",".join([*(part for part in column.members if part in value), *sorted(set(value) - set(column.members))])


def _binary(column: Declared, value: Any) -> Any:
    if not isinstance(value, (bytes, bytearray, memoryview)):
        return value
    return bytes(value).ljust(column.octets or 0, b"\0") if column.padded else bytes(value)


def _time(column: Declared, value: Any) -> Any:
    if isinstance(value, time) and value.tzinfo is None:
        value = timedelta(hours=value.hour, minutes=value.minute, seconds=value.second, microseconds=value.microsecond)
    if not isinstance(value, timedelta):
        return value
    unit = timedelta(microseconds=10 ** (6 - column.digits))
    cut = abs(value) // unit * unit
    return -cut if value < timedelta() else cut


def _uuid(column: Declared, value: Any) -> Any:
    try:
        return str(UUID(value)) if isinstance(value, str) else str(value) if isinstance(value, UUID) else value
    except ValueError:
        return value


def _whole(column: Declared, value: Any) -> Any:
    return int(value) if isinstance(value, bool) else value


def _as_given(column: Declared, value: Any) -> Any:
    return value


_PREPARED: dict[str, Callable[[Declared, Any], Any]] = {
    "decimal": _decimal,
    "double": _double,
    "enum": _as_given,
    "set": _set,
    "binary": _binary,
    "bit": _whole,
    "time": _time,
    "year": _whole,
    "uuid": _uuid,
}


def _time_text(column: Declared | None, value: timedelta) -> str:
    sign, length = "-" if value < timedelta() else "", abs(value)
    seconds = length.days * 86_400 + length.seconds
    digits = column.digits if column else 6
    part = f".{length.microseconds:06}"[: digits + 1] if digits else ""
    return f"{sign}{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}{part}"


TIMES = (-_LONGEST_TIME, _LONGEST_TIME)
"""The least and the greatest time of MySQL and MariaDB."""
