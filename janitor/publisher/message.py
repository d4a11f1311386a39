"""One message that is to be published."""

from typing import NamedTuple

from janitor.publisher.avro import digest
from janitor.publisher.contract import Record


class Message(NamedTuple):
    """A message: its id as 32 hex digits, its body, its route, and the places of the records in it.

    `headers` are its own, besides those that all messages of its publisher have. `records` are kept if they are
    several.
    """

    id: bytes
    body: bytes
    routing_key: str = ""
    headers: tuple[tuple[str, str | int], ...] = ()
    places: tuple[int, ...] = (0,)
    records: tuple[Record, ...] = ()


def message_id(body: bytes) -> bytes:
    """The id of a message: the same body always has the same id."""
    return digest(body).hex().encode()
