"""The only file that reaches into pika's private parts.

What: frames are made by pika's own marshalling, once for many messages, and several messages go out in one piece
through `_output_marshaled_frames`.

    message 1:   method | header: size 1, id 1, properties | body 1
    message 2:   method | header: size 2, id 2, properties | body 2
                 for messages with the same routing key and headers, the method and the properties are the same bytes:
                 they are marshalled once

Why: `basic_publish` marshals the method and the properties anew for each message, and sends each in three pieces.

What else: `read_any_headers` lets a connection take a message whose headers pika cannot decode: a moment in
milliseconds, which lies in the year 55,840; tables in tables, hundreds deep; a kind of value that it does not know.
pika would give up the connection, the broker would send the message again, and nobody could read what lies behind it.

What pays for it: the benchmark line "publishing 100,000 rows, binary, confirmed and mandatory". On one machine it was
6,700 rows a second with this file, and 4,200 with `basic_publish`.

The canary is `tests/rabbitmq/test_pika_private.py`. It compares every byte with what `basic_publish` sends.
"""

import secrets
import struct
from collections.abc import Callable, Iterable, Mapping
from copy import copy
from typing import Any, NamedTuple, Protocol

from pika import BasicProperties, frame, spec
from pika.channel import Channel
from pika.exceptions import AMQPError

FRAME_OVERHEAD = 8
"""How many bytes of a frame are not its payload: a head of 7 and an end of 1."""

HEADS_KEPT = 1_000
"""For how many routing keys and headers the marshalled bytes are kept."""

_FRAME_END = bytes([spec.FRAME_END])
_SIZE_ENDS = 19
"""Where the body's size ends in a header's frame: a head of 7, a class of 2, a weight of 2, the size of 8."""

Headers = tuple[tuple[str, str | int], ...]


class Framed(Protocol):
    """What frames are made of: an id of 32 characters, a body, a routing key, and headers of its own."""

    @property
    def id(self) -> bytes:
        """The message's id."""

    @property
    def body(self) -> bytes:
        """The message's body."""

    @property
    def routing_key(self) -> str:
        """Where an exchange routes it to."""

    @property
    def headers(self) -> Headers:
        """Headers besides those that all messages have."""


class _Head(NamedTuple):
    """The bytes around the size and the id of a message."""

    before_size: bytes
    before_id: bytes
    after_id: bytes


class Framing:
    """Makes the frames of messages on one channel, to one exchange, with properties that all of them share."""

    def __init__(self, channel: Channel, exchange: str, properties: BasicProperties) -> None:
        """The properties have no message id: each message brings its own."""
        self._number, self._exchange, self.properties = channel.channel_number, exchange, properties
        self._body_head = frame.Body(self._number, b"").marshal()[:3]
        self._most: int = channel.connection.params.frame_max - FRAME_OVERHEAD
        self._heads: dict[tuple[str, Headers], _Head] = {}

    def frames_of(self, messages: Iterable[Framed]) -> bytes:
        """The bytes that `basic_publish` would send for messages, each marked mandatory."""
        body_head, most = self._body_head, self._most
        parts: list[bytes] = []
        for message in messages:
            body = message.body
            head = self._heads.get((message.routing_key, message.headers)) or self._make(message)
            parts += head.before_size, len(body).to_bytes(8), head.before_id, message.id, head.after_id
            for start in range(0, len(body), most):
                part = body[start : start + most]
                parts += body_head, len(part).to_bytes(4), part, _FRAME_END
        return b"".join(parts)

    def _make(self, message: Framed) -> _Head:
        if len(self._heads) >= HEADS_KEPT:
            self._heads.clear()
        properties = copy(self.properties)
        shared: Mapping[str, Any] = properties.headers or {}
        stand_in = properties.message_id = secrets.token_hex(16)
        properties.headers = {**shared, **dict(message.headers)} or None
        publish = spec.Basic.Publish(exchange=self._exchange, routing_key=message.routing_key, mandatory=True)
        header = frame.Header(self._number, 0, properties).marshal()
        before_id, after_id = header[_SIZE_ENDS:].split(stand_in.encode())
        made = _Head(
            before_size=frame.Method(self._number, publish).marshal() + header[: _SIZE_ENDS - 8],
            before_id=before_id,
            after_id=after_id,
        )
        self._heads[message.routing_key, message.headers] = made
        return made


UNREADABLE = "unreadable"
"""The one header that a message has then: the others as they came, in hexadecimal digits."""
MOST_DIGITS = 4_000
_UNDECODABLE = (ValueError, OverflowError, OSError, RecursionError, struct.error, AMQPError)
_HEAD, _BEFORE_PROPERTIES = 7, 12
"""Of a frame: its kind, channel and size; of a header's payload: its class, weight and the size of the body."""


def read_any_headers(connection: Any) -> None:
    """Let a connection of pika's take each message, whatever its headers hold."""
    usual: Callable[[], tuple[int, Any]] = connection._read_frame

    def read_frame() -> tuple[int, Any]:
        try:
            return usual()
        except _UNDECODABLE:
            found = _without_headers(bytes(connection._frame_buffer))
            if found is None:
                raise
            return found

    connection._read_frame = read_frame


def _without_headers(buffer: bytes) -> tuple[int, frame.Header] | None:
    """The first frame of a buffer as `decode_frame` gives it, with headers that are not decoded; None for any other."""
    kind, channel, size = struct.unpack_from(">BHL", buffer)
    payload = buffer[_HEAD : _HEAD + size]
    if kind != spec.FRAME_HEADER:
        return None
    (body_size,) = struct.unpack_from(">Q", payload, 4)
    properties = payload[_BEFORE_PROPERTIES:]
    (flags,) = struct.unpack_from(">H", properties)
    if not flags & BasicProperties.FLAG_HEADERS or flags & 1:
        return None
    at = 2
    for flag in (BasicProperties.FLAG_CONTENT_TYPE, BasicProperties.FLAG_CONTENT_ENCODING):
        at += 1 + properties[at] if flags & flag else 0
    (length,) = struct.unpack_from(">I", properties, at)
    table, behind = properties[at + 4 : at + 4 + length], properties[at + 4 + length :]
    made = BasicProperties().decode(properties[:at] + bytes(4) + behind)
    made.headers = {UNREADABLE: table.hex()[:MOST_DIGITS]}
    return _HEAD + size + 1, frame.Header(channel, body_size, made)


def put_out(connection: Any, frames: bytes) -> None:
    """Send frames on a connection of pika's, after the frames that still wait there."""
    connection._output_marshaled_frames([frames])
