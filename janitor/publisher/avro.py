"""Avro: one schema, its fingerprint, and its records as binary messages, as JSON lines and as container files.

    binary message     c3 01 | fingerprint, 8 bytes | the fields, one after the other
    JSON lines         one record a line
    container file     the schema, metadata and records in one file, which any reader of Avro reads

Binary messages are encoded by our own code because it was measured and because it is strict. fastavro takes naive
instants and any whole number. With checks before it, it took twice as long. All else is read and written by fastavro.
"""

import functools
import hashlib
import io
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import resources
from typing import IO, Any

import fastavro
import orjson
from fastavro.schema import fingerprint, to_parsing_canonical_form

from janitor.errors import JanitorError
from janitor.publisher.avro_kinds import MISFIT
from janitor.publisher.avro_types import Field

Record = Mapping[str, object]

MARKER = b"\xc3\x01"
"""The two bytes that begin every message in Avro's single-object encoding."""

DIGEST_BYTES = 16

_UNREADABLE = (EOFError, ValueError, IndexError, KeyError, TypeError, AttributeError, OverflowError)


class BadMessage(JanitorError):
    """Raised when a record does not fit its schema, or bytes are no message of that schema; its text says why."""


@dataclass(frozen=True, eq=False)
class Schema:
    """A record schema. Its fields are of these types, each perhaps null; a record within a record is not written.

        boolean, int, long, float, double, string, bytes, fixed, enum, array, map
        timestamp-millis, timestamp-micros   an aware datetime
        date                                 a date
        decimal                              a Decimal that fits its precision and scale
        uuid                                 a uuid.UUID

    `name` is the full name. `fingerprint` is the CRC-64-AVRO of the parsing canonical form: 8 bytes, little-endian.
    """

    name: str
    fingerprint: bytes
    fields: tuple[Field, ...]
    parsed: Any = field(repr=False)
    _header: bytes = field(init=False, repr=False)
    _writers: tuple[tuple[str, Callable[[Any], bytes]], ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_header", MARKER + self.fingerprint)
        object.__setattr__(self, "_writers", tuple((each.name, each.type.writer()) for each in self.fields))

    @classmethod
    def load(cls, package: str, path: str) -> "Schema":
        """The schema in the file `path` of `package`, such as `schemas/y.avsc` of `janitor.tasks.x`; read once."""
        return _load(package, path)

    @classmethod
    def parse(cls, declaration: dict[str, Any]) -> "Schema":
        """The schema that the content of an .avsc file declares.

        Raises:
            ValueError: it is no record, or a field is of a type that is not written.
        """
        parsed: Any = fastavro.parse_schema(declaration)
        crc = bytes.fromhex(fingerprint(to_parsing_canonical_form(parsed), "CRC-64-AVRO"))
        return cls(parsed["name"], crc, Field.each_of(parsed["fields"]), parsed)

    def problem(self, record: Record) -> str | None:
        """Why `record` does not fit, as one sentence that names the field; None if it fits.

        A field that may be null may be absent. An unknown field does not fit, nor does a datetime without a time zone.
        """
        try:
            self.encode(record)
        except BadMessage as exc:
            return str(exc)
        return None

    def encode(self, record: Record) -> bytes:
        """`record` in Avro's single-object encoding: the marker, the fingerprint, the body.

        Instants are cut to the unit of their type.

        Raises:
            BadMessage: `record` does not fit.
        """
        if len(record) > len(self._writers):
            raise BadMessage(self._misfit(record))
        try:
            return self._header + b"".join([write(record[name]) for name, write in self._writers])
        except MISFIT as exc:
            if reason := self._misfit(record):
                raise BadMessage(reason) from exc
        return self._header + b"".join([write(record.get(name)) for name, write in self._writers])

    def decode(self, message: bytes) -> dict[str, Any]:
        """The record in a message that `encode` made; instants are aware, in UTC.

        Raises:
            BadMessage: the bytes are too few or too many, or were written with another schema.
        """
        header = self._header
        if not message.startswith(header):
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
        """16 bytes: the same for the same record and schema, different for any other.

        Raises:
            BadMessage: `record` does not fit.
        """
        return digest(self.encode(record))

    def encode_lines(self, records: Sequence[Record]) -> bytes:
        """`records` in Avro's JSON encoding, one record a line.

        Raises:
            BadMessage: a record does not fit.
        """
        self._refuse(records)
        rows = ({each.name: each.type.to_json(record.get(each.name)) for each in self.fields} for record in records)
        return b"".join(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE) for row in rows)

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
        """Write `records` and `metadata` into `file`, as an Avro object container file.

        Raises:
            BadMessage: a record does not fit; nothing was written.
            OSError: `file` cannot be written.
        """
        self._refuse(records)
        fastavro.writer(file, self.parsed, records, metadata=dict(metadata))

    def read_container(self, file: IO[bytes]) -> tuple[dict[str, str], list[dict[str, Any]]]:
        """The metadata and the records of an Avro object container file, which holds its own schema.

        Raises:
            BadMessage: it is no such file, or it is not whole.
        """
        try:
            reader = fastavro.reader(file)
            rows: list[Any] = list(reader)
            return dict(reader.metadata), rows
        except _UNREADABLE as exc:
            raise BadMessage("this is not a whole Avro object container file") from exc

    def _misfit(self, record: Record) -> str | None:
        """The first problem of a record that could not be encoded; None if it only lacks fields that may be null."""
        unknown = sorted(str(name) for name in record.keys() - {each.name for each in self.fields})
        if unknown:
            return f"{unknown[0]} is not a field of {self.name}"
        return next(filter(None, (each.problem(record.get(each.name)) for each in self.fields)), None)

    def _refuse(self, records: Sequence[Record]) -> None:
        for record in records:
            if reason := self.problem(record):
                raise BadMessage(reason)


@functools.lru_cache(maxsize=None)
def _load(package: str, path: str) -> Schema:
    return Schema.parse(json.loads(resources.files(package).joinpath(path).read_text(encoding="utf-8")))


def digest(content: bytes) -> bytes:
    """The first 16 bytes of the SHA-256 of `content`."""
    return hashlib.sha256(content).digest()[:DIGEST_BYTES]
