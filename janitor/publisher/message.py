"""One message that is to be published."""

from typing import NamedTuple, Self

from janitor.publisher.avro import digest


class Message(NamedTuple):
    """A message's id, as 32 hex digits, and its body."""

    id: bytes
    body: bytes

    @classmethod
    def of(cls, body: bytes) -> Self:
        """The message with this body; the same body always has the same id."""
        return cls(digest(body).hex().encode(), body)
