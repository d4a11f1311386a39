"""What all messages of a publisher have in common."""

from dataclasses import dataclass
from typing import Literal

from janitor.publisher.avro import Schema


@dataclass(frozen=True)
class Envelope:
    """Where the messages go, what they are about, and how their records are encoded."""

    exchange: str
    subject: str
    message_type: str
    encoding: Literal["binary", "json"]

    def headers(self, schema: Schema) -> dict[str, str]:
        """The headers that consumers read; `fingerprint` is the schema's, as hex in the order of its bytes."""
        return {
            "subject": self.subject,
            "version": "1",
            "encoder_type": self.encoding,
            "fingerprint": schema.fingerprint.hex(),
        }
