"""What publishing means, and what all messages of a publisher share."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from janitor.publisher.avro import Schema

Records = Sequence[Mapping[str, object]]


class Publisher(Protocol):
    """Where groups of records are published."""

    def publish(self, records: Records, identity: bytes = b"", following: Records = ()) -> None:
        """Publish one group; return when all of it is safe, raise when any of it may not be.

        Publishing a group again is harmless: each message has the same id as before. `identity` tells the group from
        another one of equal content; a group that is published again has the one it had. `following` are the records
        that the next call is going to bring: they may be encoded meanwhile, and are not sent.

        Raises:
            BadMessage: a record does not fit the schema; none was published.
            Unavailable, Rejected: the group counts as not published.
            DeadlineExceeded, Cancelled: as the run's `check` does; the group counts as not published.
        """


@dataclass(frozen=True)
class Envelope:
    """What all messages of a publisher have in common."""

    exchange: str
    subject: str
    message_type: str
    encoding: Literal["binary", "json"]

    def headers(self, schema: Schema) -> dict[str, str]:
        """The headers that consumers read; `fingerprint` is that of the schema, as hex in the order of its bytes."""
        return {
            "subject": self.subject,
            "version": "1",
            "encoder_type": self.encoding,
            "fingerprint": schema.fingerprint.hex(),
        }
