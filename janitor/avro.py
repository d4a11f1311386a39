"""Avro: one schema, its fingerprint, and its records as binary messages, as JSON lines and as container files."""

import hashlib
import io
import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from importlib import resources
from typing import IO, Any

import fastavro
import orjson
from fastavro.schema import fingerprint, to_parsing_canonical_form

from janitor.errors import JanitorError

Record = Mapping[str, object]
Check = Callable[[object], str | None]

MARKER = b"\xc3\x01"
"""The two bytes that begin every message in Avro's single-object encoding."""

DIGEST_BYTES = 16

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_MILLISECOND = timedelta(milliseconds=1)
_ABSENT = object()
_UNREADABLE = (EOFError, ValueError, IndexError, KeyError, TypeError, AttributeError, OverflowError)


class BadMessage(JanitorError):
    """Raised when a record does not fit its schema, or bytes are no message of it; its text says where."""


@dataclass(frozen=True)
class Kind:
    """One of Avro's types: how values of it are checked, and how they look in Avro's JSON encoding."""

    avro: object
    problem: Check
    to_json: Callable[[Any], object] = staticmethod(lambda value: value)


@dataclass(frozen=True)
class Field:
    """A field of a record: its kind, and whether it may be null."""

    name: str
    kind: Kind
    nullable: bool

    def to_json(self, value: object) -> object:
        """`value` in Avro's JSON encoding, where a union's value is an object that names its type."""
        if value is None or not self.nullable:
            return None if value is None else self.kind.to_json(value)
        return {_type_name(self.kind.avro): self.kind.to_json(value)}


@dataclass(frozen=True, eq=False)
class Schema:
    """A record schema of flat fields: boolean, int, long, double, string and timestamp-millis, each perhaps null.

    `name` is the full name; `fingerprint` is CRC-64-AVRO of the parsing canonical form, its 8 bytes little-endian.
    """

    name: str
    fingerprint: bytes
    fields: tuple[Field, ...]
    parsed: Any = field(repr=False)
    _checks: tuple[tuple[str, bool, Check], ...] = field(init=False, repr=False)
    _names: frozenset[str] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(
            self, "_checks", tuple((each.name, each.nullable, each.kind.problem) for each in self.fields)
        )
        object.__setattr__(self, "_names", frozenset(each.name for each in self.fields))

    @classmethod
    def load(cls, package: str, path: str) -> "Schema":
        """Read the schema in the file `path` of `package`, such as `janitor.tasks.x` and `message_schemas/y.avsc`."""
        return cls.parse(json.loads(resources.files(package).joinpath(path).read_text(encoding="utf-8")))

    @classmethod
    def parse(cls, declaration: dict[str, Any]) -> "Schema":
        """Make a schema of what an .avsc file holds.

        Raises:
            ValueError: it is not a record of flat fields.
        """
        parsed: Any = fastavro.parse_schema(declaration)
        crc = bytes.fromhex(fingerprint(to_parsing_canonical_form(parsed), "CRC-64-AVRO"))
        return cls(parsed["name"], crc, tuple(_field(each) for each in parsed["fields"]), parsed)

    def problem(self, record: Record) -> str | None:
        """Why `record` does not fit, as one sentence that names the field; None where it fits.

        A field that may be null may be absent; an unknown field, or a datetime without a time zone, does not fit.
        """
        known = 0
        for name, nullable, problem in self._checks:
            value = record.get(name, _ABSENT)
            known += value is not _ABSENT
            if value is None or value is _ABSENT:
                if not nullable:
                    return f"{name} is missing"
            elif reason := problem(value):
                return f"{name} {reason}"
        if known < len(record):
            return f"{min(str(key) for key in record if key not in self._names)} is not a field of {self.name}"
        return None

    def encode(self, record: Record) -> bytes:
        """`record` in Avro's single-object encoding: the marker, the fingerprint, the body. Cuts instants to milliseconds.

        Raises:
            BadMessage: `record` does not fit.
        """
        return next(self.encode_each([record]))

    def encode_each(self, records: Sequence[Record]) -> Iterator[bytes]:
        """Check all of `records`, then encode each as `encode` does, once it is asked for.

        Raises:
            BadMessage: one of them does not fit; at once, not when it is asked for.
        """
        self._refuse(records)
        return map(self._single_object, records)

    def decode(self, message: bytes) -> dict[str, Any]:
        """The record in a message that `encode` made; instants are aware, in UTC.

        Raises:
            BadMessage: the bytes are cut, have more after their end, or were written with another schema.
        """
        header = MARKER + self.fingerprint
        if message[: len(header)] != header:
            raise BadMessage(
                f"these bytes do not begin as a message of {self.name} with fingerprint {self.fingerprint.hex()}"
            )
        body = io.BytesIO(message[len(header) :])
        try:
            record: Any = fastavro.schemaless_reader(body, self.parsed, None)
        except _UNREADABLE as exc:
            raise BadMessage(f"these bytes are no whole message of {self.name}") from exc
        if body.read(1):
            raise BadMessage(f"these bytes go on after a whole message of {self.name}")
        return dict(record)

    def digest(self, record: Record) -> bytes:
        """16 bytes that are the same for the same record and schema, and differ for any other.

        Raises:
            BadMessage: `record` does not fit.
        """
        return digest(self.encode(record))

    def encode_lines(self, records: Sequence[Record]) -> bytes:
        """`records` in Avro's JSON encoding, one a line.

        Raises:
            BadMessage: a record does not fit.
        """
        self._refuse(records)
        lines = []
        for record in records:
            row = {each.name: each.to_json(record.get(each.name)) for each in self.fields}
            lines.append(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE))
        return b"".join(lines)

    def decode_lines(self, message: bytes) -> list[dict[str, Any]]:
        """The records in a message that `encode_lines` made.

        Raises:
            BadMessage: a line is no record of this schema.
        """
        try:
            rows: list[Any] = list(fastavro.json_reader(io.StringIO(message.decode("utf-8")), self.parsed))
            return rows
        except _UNREADABLE as exc:
            raise BadMessage(f"this text is not {self.name} in Avro's JSON encoding, one record a line") from exc

    def write_container(self, file: IO[bytes], records: Sequence[Record], metadata: Mapping[str, str]) -> None:
        """Write `records` into `file` as an Avro object container file that also holds `metadata`.

        Raises:
            BadMessage: a record does not fit.
            OSError: `file` cannot be written.
        """
        self._refuse(records)
        fastavro.writer(file, self.parsed, records, metadata=dict(metadata))

    def read_container(self, file: IO[bytes]) -> tuple[dict[str, str], list[dict[str, Any]]]:
        """The metadata and the records of an Avro object container file, read by the schema that it was written with.

        Raises:
            BadMessage: it is no such file, or not whole.
        """
        try:
            reader = fastavro.reader(file)
            rows: list[Any] = list(reader)
            return dict(reader.metadata), rows
        except _UNREADABLE as exc:
            raise BadMessage("this is not a whole Avro object container file") from exc

    def _single_object(self, record: Record) -> bytes:
        out = io.BytesIO()
        out.write(MARKER + self.fingerprint)
        fastavro.schemaless_writer(out, self.parsed, record)
        return out.getvalue()

    def _refuse(self, records: Sequence[Record]) -> None:
        for record in records:
            if reason := self.problem(record):
                raise BadMessage(reason)


def digest(content: bytes) -> bytes:
    """The first 16 bytes of the SHA-256 of `content`."""
    return hashlib.sha256(content).digest()[:DIGEST_BYTES]


def _whole_number(avro: str, bits: int) -> Kind:
    low, high = -(2 ** (bits - 1)), 2 ** (bits - 1) - 1

    def problem(value: object) -> str | None:
        if not isinstance(value, int) or isinstance(value, bool):
            return f"is {_shown(value)}: it must be a whole number"
        return None if low <= value <= high else f"is {_shown(value)}: it must be from {low} to {high}"

    return Kind(avro, problem)


def _string_problem(value: object) -> str | None:
    if not isinstance(value, str):
        return f"is {_shown(value)}: it must be text"
    if not value.isascii():
        try:
            value.encode("utf-8")
        except UnicodeEncodeError:
            return f"is {ascii(value)[:60]}: it holds half a character, which UTF-8 cannot write"
    return None


def _boolean_problem(value: object) -> str | None:
    return None if isinstance(value, bool) else f"is {_shown(value)}: it must be true or false"


def _double_problem(value: object) -> str | None:
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        return f"is {_shown(value)}: it must be a number"
    return None if math.isfinite(value) else f"is {value}: it must be a finite number"


def _instant_problem(value: object) -> str | None:
    if not isinstance(value, datetime):
        return f"is {_shown(value)}: it must be an instant"
    if value.utcoffset() is None:
        return f"is {value.isoformat()} without a time zone: it must be an instant"
    if not 1 < value.year < 9999:
        try:
            value.astimezone(timezone.utc)
        except OverflowError:
            return f"is {value.isoformat()}: in UTC it must be in the years 1 to 9999"
    return None


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


_TIMESTAMP = {"type": "long", "logicalType": "timestamp-millis"}
_KINDS = (
    Kind("boolean", _boolean_problem),
    _whole_number("int", 32),
    _whole_number("long", 64),
    Kind("double", _double_problem, float),
    Kind("string", _string_problem),
    Kind(_TIMESTAMP, _instant_problem, lambda value: (value - _EPOCH) // _MILLISECOND),
)


def _type_name(avro: object) -> str:
    return str(avro["type"] if isinstance(avro, dict) else avro)


def _field(declared: dict[str, Any]) -> Field:
    """The field that is `declared`; a union is understood where it is null and one other type."""
    choices = declared["type"] if isinstance(declared["type"], list) else [declared["type"]]
    others = [each for each in choices if each != "null"]
    kinds = [kind for kind in _KINDS if others == [kind.avro]]
    if not kinds:
        raise ValueError(f"the field {declared['name']!r} is of a type that Janitor does not write: {declared['type']}")
    return Field(declared["name"], kinds[0], len(others) < len(choices))
