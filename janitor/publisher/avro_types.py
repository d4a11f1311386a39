"""Types that are made of others: a type or null, arrays, maps, enums, fixed sizes; and the fields of a record."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from janitor.publisher.avro_kinds import (
    KINDS,
    Kind,
    bytes_to_json,
    shown,
    string_problem,
    varint,
    write_string,
)
from janitor.publisher.avro_logical import logical_kind


class Inside(str):
    """What is wrong with a value inside a list or a map: the sentence goes on with its place in brackets."""


Named = dict[str, Kind]
"""The kinds that a schema has named so far."""


@dataclass(frozen=True)
class Type:
    """A kind, and the place of null in its union; None if a value may not be null."""

    kind: Kind
    null_at: int | None = None

    @classmethod
    def of(cls, declared: Any, named: Named) -> "Type":
        """The type that a schema declares.

        Raises:
            ValueError: it is of a kind that is not written, or a union of other types than one and null.
        """
        choices = declared if isinstance(declared, list) else [declared]
        others = [each for each in choices if each != "null"]
        if len(others) != 1:
            raise ValueError(f"is of a type that is not written: {declared}")
        return cls(_kind_of(others[0], named), choices.index("null") if "null" in choices else None)

    def writer(self) -> Callable[[Any], bytes]:
        """The function that encodes a value."""
        if self.null_at is None:
            return self.kind.write
        write, null, other = self.kind.write, varint(self.null_at), varint(1 - self.null_at)
        return lambda value: null if value is None else other + write(value)

    def problem(self, value: object) -> str | None:
        """What is wrong with a value, as the rest of a sentence that begins with its name; None if it fits."""
        if value is None:
            return "is missing" if self.null_at is None else None
        reason = self.kind.problem(value)
        return reason if reason is None or isinstance(reason, Inside) else f"is {reason}"

    def to_json(self, value: object) -> object:
        """`value` in Avro's JSON encoding: a value of a union is an object that names the value's type."""
        if value is None:
            return None
        plain = self.kind.to_json(value)
        return plain if self.null_at is None else {self.kind.name: plain}


@dataclass(frozen=True)
class Field:
    """A field of a record."""

    name: str
    type: Type

    @classmethod
    def each_of(cls, declared: Sequence[dict[str, Any]]) -> "tuple[Field, ...]":
        """The fields that a schema declares.

        Raises:
            ValueError: a field is of a type that is not written.
        """
        named: Named = {}
        fields: list[Field] = []
        for each in declared:
            try:
                fields.append(cls(each["name"], Type.of(each["type"], named)))
            except ValueError as exc:
                raise ValueError(f"the field {each['name']!r} {exc}") from exc
        return tuple(fields)

    def problem(self, value: object) -> str | None:
        """Why this field cannot be `value`, as one sentence; None if it can."""
        reason = self.type.problem(value)
        if reason is None:
            return None
        return f"{self.name}{reason}" if isinstance(reason, Inside) else f"{self.name} {reason}"


def _kind_of(declared: Any, named: Named) -> Kind:
    if isinstance(declared, str):
        kind = KINDS.get(declared) or named.get(declared)
    elif declared.get("logicalType") is not None:
        kind = logical_kind(declared)
    else:
        make = _MADE_OF.get(declared["type"])
        kind = KINDS.get(declared["type"]) if make is None else make(declared, named)
    if kind is None:
        raise ValueError(f"is of a type that is not written: {declared}")
    if isinstance(declared, dict) and "name" in declared:
        named[declared["name"]] = kind
    return kind


def _enum(declared: Mapping[str, Any], _: Named) -> Kind:
    symbols = declared["symbols"]
    written = {symbol: varint(at) for at, symbol in enumerate(symbols)}

    def problem(value: object) -> str | None:
        is_symbol = isinstance(value, str) and value in written
        return None if is_symbol else f"{shown(value)}: it must be one of {', '.join(symbols)}"

    return Kind(declared["name"], lambda value: written[value], problem)


def _fixed(declared: Mapping[str, Any], _: Named) -> Kind:
    size = declared["size"]

    def write(value: bytes) -> bytes:
        if value.__class__ is not bytes or len(value) != size:
            raise ValueError(value)
        return value

    def problem(value: object) -> str | None:
        fits = isinstance(value, bytes) and value.__class__ is bytes and len(value) == size
        return None if fits else f"{shown(value)}: it must be {size} bytes"

    return Kind(declared["name"], write, problem, bytes_to_json)


def _array(declared: Mapping[str, Any], named: Named) -> Kind:
    items = Type.of(declared["items"], named)
    write_item = items.writer()

    def write(value: Sequence[Any]) -> bytes:
        if value.__class__ not in (list, tuple):
            raise ValueError(value)
        return (varint(len(value)) if value else b"") + b"".join(map(write_item, value)) + b"\0"

    def problem(value: object) -> str | None:
        if not isinstance(value, list | tuple) or value.__class__ not in (list, tuple):
            return f"{shown(value)}: it must be a list"
        return _first_problem(items, enumerate(value))

    return Kind("array", write, problem, lambda value: [items.to_json(each) for each in value])


def _map(declared: Mapping[str, Any], named: Named) -> Kind:
    """Maps are written in the order of their keys: equal maps have equal bytes."""
    values = Type.of(declared["values"], named)
    write_value = values.writer()

    def write(value: Mapping[str, Any]) -> bytes:
        entries = [write_string(key) + write_value(each) for key, each in sorted(value.items())]
        return (varint(len(entries)) if entries else b"") + b"".join(entries) + b"\0"

    def problem(value: object) -> str | None:
        if not isinstance(value, Mapping):
            return f"{shown(value)}: it must be a mapping"
        bad = next((key for key in value if string_problem(key)), None)
        return f"{shown(value)}: its keys must be texts" if bad is not None else _first_problem(values, value.items())

    return Kind("map", write, problem, lambda value: {key: values.to_json(each) for key, each in value.items()})


def _first_problem(type: Type, entries: Any) -> str | None:
    """The first problem among the values of a list or a map, after the value's place in brackets."""
    for at, value in entries:
        if reason := type.problem(value):
            return Inside(f"[{at!r}]{reason}" if isinstance(reason, Inside) else f"[{at!r}] {reason}")
    return None


_MADE_OF: dict[str, Callable[[Mapping[str, Any], Named], Kind]] = {
    "enum": _enum,
    "fixed": _fixed,
    "array": _array,
    "map": _map,
}
