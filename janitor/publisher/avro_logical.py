"""The logical types of Avro: instants, dates, decimal numbers and uuids."""

import uuid
from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

from janitor.publisher.avro_kinds import (
    MISFIT,
    Kind,
    bytes_to_json,
    shown,
    varint,
    write_bytes,
    write_string,
)

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_EPOCH_DAY = date(1970, 1, 1).toordinal()


def logical_kind(declared: Mapping[str, Any]) -> Kind | None:
    """The kind of a logical type, with the type that it is kept in; None if it is not written."""
    make = _KINDS.get((declared["type"], declared.get("logicalType")))
    return None if make is None else make(declared)


def _instant(name: str, unit: timedelta) -> Kind:
    def count(value: datetime) -> int:
        return (value - _EPOCH) // unit

    def problem(value: object) -> str | None:
        if not isinstance(value, datetime):
            return f"{shown(value)}: it must be an instant"
        if value.utcoffset() is None:
            return f"{value.isoformat()} without a time zone: it must be an instant"
        return None

    return Kind(name, lambda value: varint(count(value)), problem, count)


def _days(value: date) -> int:
    if value.__class__ is not date:
        raise ValueError(value)
    return value.toordinal() - _EPOCH_DAY


def _date_problem(value: object) -> str | None:
    return None if value.__class__ is date else f"{shown(value)}: it must be a date"


def _uuid_text(value: uuid.UUID) -> str:
    if not isinstance(value, uuid.UUID):
        raise ValueError(value)
    return str(value)


def _uuid_problem(value: object) -> str | None:
    return None if isinstance(value, uuid.UUID) else f"{shown(value)}: it must be a uuid"


def _decimal(declared: Mapping[str, Any]) -> Kind:
    """Decimal numbers: whole numbers of the smallest unit, in as few bytes as they need, or in a fixed size."""
    precision, scale, size = declared.get("precision"), declared.get("scale", 0), declared.get("size")
    if not isinstance(precision, int) or not isinstance(scale, int) or not 0 <= scale <= precision or precision < 1:
        raise ValueError(f"is a decimal of an impossible precision or scale: {declared}")

    def to_bytes(value: Decimal) -> bytes:
        units = _units(value, precision, scale)
        return units.to_bytes(size or (units + (units < 0)).bit_length() // 8 + 1, signed=True)

    def problem(value: object) -> str | None:
        if not isinstance(value, Decimal):
            return f"{shown(value)}: it must be a decimal number"
        try:
            to_bytes(value)
        except MISFIT:
            return f"{shown(value)}: it must have at most {precision} digits, {scale} of them after the point"
        return None

    write: Callable[[Decimal], bytes] = to_bytes if size else lambda value: write_bytes(to_bytes(value))
    return Kind(str(declared.get("name", "bytes")), write, problem, lambda value: bytes_to_json(to_bytes(value)))


def _units(value: Decimal, precision: int, scale: int) -> int:
    """How many of the smallest unit a number is; arithmetic of Decimal would round it."""
    sign, digits, exponent = value.as_tuple()
    if not isinstance(exponent, int):
        raise ValueError(value)
    plain = int("".join(map(str, digits)) or "0")
    shift = exponent + scale
    if plain == 0:
        return 0
    if shift > precision or -shift > len(digits):
        raise ValueError(value)
    units, rest = divmod(plain * int(10 ** max(shift, 0)), int(10 ** max(-shift, 0)))
    if rest or units >= int(10**precision):
        raise ValueError(value)
    return -units if sign else units


_KINDS: dict[tuple[str, str | None], Callable[[Mapping[str, Any]], Kind]] = {
    ("long", "timestamp-millis"): lambda _: _instant("long", timedelta(milliseconds=1)),
    ("long", "timestamp-micros"): lambda _: _instant("long", timedelta(microseconds=1)),
    ("int", "date"): lambda _: Kind("int", lambda value: varint(_days(value)), _date_problem, _days),
    ("string", "uuid"): lambda _: Kind(
        "string", lambda value: write_string(_uuid_text(value)), _uuid_problem, _uuid_text
    ),
    ("bytes", "decimal"): _decimal,
    ("fixed", "decimal"): _decimal,
}
