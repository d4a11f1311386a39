"""An independent consumer: it reads messages with fastavro and the shipped schema alone."""

import io
import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import fastavro

from tests.fixtures import Received
from tests.tasks.sequencing_publisher.oracle import Record, as_record

FILE = "janitor/tasks/sequencing_publisher/message_schemas/sample_sequence_status.avsc"
SCHEMA: Any = fastavro.parse_schema(json.loads((Path(__file__).parents[3] / FILE).read_text()))
FINGERPRINT = fastavro.schema.fingerprint(fastavro.schema.to_parsing_canonical_form(SCHEMA), "CRC-64-AVRO")


def records_of(message: Received) -> list[dict[str, Any]]:
    """The records in a message of either encoding."""
    if message.properties.content_type == "application/x-ndjson":
        return list(fastavro.json_reader(io.StringIO(message.body.decode()), SCHEMA))  # type: ignore[arg-type]
    assert message.properties.content_type == "avro/binary"
    assert message.body[:10] == b"\xc3\x01" + bytes.fromhex(FINGERPRINT)
    body = io.BytesIO(message.body[10:])
    record: Any = fastavro.schemaless_reader(body, SCHEMA, None)
    assert not body.read()
    return [record]


def counted(messages: Iterable[Received]) -> Counter[Record]:
    """How often each record came."""
    return Counter(as_record(record) for message in messages for record in records_of(message))


def in_files(folder: Path) -> Counter[Record]:
    """How often each record is in the container files of a folder."""
    found: Counter[Record] = Counter()
    for path in sorted(folder.glob("*.avro")) if folder.exists() else ():
        with path.open("rb") as file:
            found.update(as_record(record) for record in fastavro.reader(file))  # type: ignore[arg-type]
    return found
