"""What all messages of a publisher have in common, and where each of them goes."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Literal, NamedTuple, NoReturn

from janitor.errors import JanitorError, summary
from janitor.guard import foreign_code
from janitor.publisher.avro import BadMessage, Schema
from janitor.publisher.contract import Record

Headers = Mapping[str, str | int]

MOST_HEADER_BYTES = 50_000
"""All headers go in one frame, and a broker ends a connection that sends a longer frame: 131,072 bytes, mostly."""
LONGEST_BYTES = 255
"""So long may a routing key be, and the name of a header."""


class Route(NamedTuple):
    """Where a message goes: its routing key, and headers of its own."""

    routing_key: str = ""
    headers: tuple[tuple[str, str | int], ...] = ()


@dataclass(frozen=True)
class Envelope:
    """Where the messages go, what they are about, and how their records are encoded.

    `routing_key` and `own_headers` are the same for all, or are made from each record.
    """

    exchange: str
    subject: str
    message_type: str
    encoding: Literal["binary", "json"]
    exchange_type: str = "fanout"
    routing_key: str | Callable[[Record], str] = ""
    own_headers: Headers | Callable[[Record], Headers] = field(default_factory=dict)

    def headers(self, schema: Schema) -> dict[str, str]:
        """The headers that consumers read; `fingerprint` is the schema's, as hex in the order of its bytes."""
        return {
            "subject": self.subject,
            "version": "1",
            "encoder_type": self.encoding,
            "fingerprint": schema.fingerprint.hex(),
        }

    @property
    def route(self) -> Route | None:
        """The route of all messages; None if it is made from each record.

        Raises:
            BadMessage: the routing key or a header cannot be sent.
        """
        if callable(self.routing_key) or callable(self.own_headers):
            return None
        return _checked(self.routing_key, self.own_headers)

    def route_of(self, record: Record) -> Route:
        """The route of a record.

        Raises:
            BadMessage: the routing key or a header cannot be sent.
        """
        key = _made("routing key", self.routing_key, record) if callable(self.routing_key) else self.routing_key
        headers = _made("headers", self.own_headers, record) if callable(self.own_headers) else self.own_headers
        return _checked(key, headers)


def _made(what: str, make: Callable[[Record], Any], record: Record) -> Any:
    made = None
    # The task's own function may raise anything: that is said of this record, and the others go.
    with foreign_code(partial(_refuse, what)):
        made = make(record)
    return made


def _refuse(what: str, error: BaseException) -> NoReturn:
    if isinstance(error, JanitorError):
        raise error
    raise BadMessage(f"its {what} cannot be made: {summary(error)}") from error


def _checked(routing_key: object, headers: object) -> Route:
    if not isinstance(routing_key, str) or _size(routing_key) > LONGEST_BYTES:
        raise BadMessage(f"the routing key is {routing_key!r:.60}: it must be a text of at most {LONGEST_BYTES} bytes")
    if not isinstance(headers, Mapping):
        raise BadMessage(f"the headers are {headers!r:.60}: they must be names and values")
    size = 0
    for name, value in headers.items():
        if not isinstance(name, str) or _size(name) > LONGEST_BYTES or not _can_be_sent(value):
            raise BadMessage(f"the header {name!r:.60} is {value!r:.60}: it must be a text or a whole number")
        size += _size(name) + (len(value.encode()) if isinstance(value, str) else 8)
    if size > MOST_HEADER_BYTES:
        raise BadMessage(f"the headers have {size:,} bytes: they must have at most {MOST_HEADER_BYTES:,}")
    return Route(routing_key, tuple(sorted(headers.items())))


def _can_be_sent(value: object) -> bool:
    return isinstance(value, str) and _is_whole(value) or isinstance(value, int) and -(2**63) <= value < 2**63


def _size(text: str) -> int:
    """The bytes of a text; more than may be if it cannot be sent at all."""
    return len(text.encode()) if _is_whole(text) else LONGEST_BYTES + 1


def _is_whole(text: str) -> bool:
    """Whether UTF-8 can write a text: it holds no half of a character."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
