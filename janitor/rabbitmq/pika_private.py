"""The only file that reaches into pika's private parts.

What: frames are made by pika's own marshalling, once for a whole group of messages, and all go out in one piece
through `_output_marshaled_frames`.

    message 1:   method | header: size 1, id 1, properties | body 1
    message 2:   method | header: size 2, id 2, properties | body 2
                 the method and the properties are the same bytes for every message: they are marshalled once

Why: `basic_publish` marshals the method and the properties anew for each message, and sends each in three pieces.

What pays for it: the benchmark line "publishing 100,000 rows, binary, confirmed and mandatory". On one machine it was
6,700 rows a second with this file, and 4,200 with `basic_publish`.

The canary is `tests/rabbitmq/test_pika_private.py`. It compares every byte with what `basic_publish` sends.
"""

import secrets
from collections.abc import Iterable
from typing import Any

from pika import BasicProperties, frame, spec
from pika.channel import Channel

FRAME_OVERHEAD = 8
"""How many bytes of a frame are not its payload: a head of 7 and an end of 1."""

_FRAME_END = bytes([spec.FRAME_END])
_SIZE_ENDS = 19
"""Where the body's size ends in a header's frame: a head of 7, a class of 2, a weight of 2, the size of 8."""


def frames_of(
    channel: Channel, exchange: str, messages: Iterable[tuple[bytes, bytes]], properties: BasicProperties
) -> bytes:
    """The bytes that `basic_publish` would send for messages, each marked mandatory.

    A message is its id, 32 characters long, and its body. The id takes the place of `properties.message_id`; all else
    in `properties` is the same for every message.
    """
    number = channel.channel_number
    stand_in = properties.message_id = secrets.token_hex(16)
    method = frame.Method(number, spec.Basic.Publish(exchange=exchange, routing_key="", mandatory=True)).marshal()
    header = frame.Header(number, 0, properties).marshal()
    before_id, after_id = header[_SIZE_ENDS:].split(stand_in.encode())
    before_size = method + header[: _SIZE_ENDS - 8]
    body_head = frame.Body(number, b"").marshal()[:3]
    most = channel.connection.params.frame_max - FRAME_OVERHEAD
    parts: list[bytes] = []
    for id, body in messages:
        size = len(body)
        parts += before_size, size.to_bytes(8), before_id, id, after_id
        for start in range(0, size, most):
            part = body[start : start + most]
            parts += body_head, len(part).to_bytes(4), part, _FRAME_END
    return b"".join(parts)


def put_out(connection: Any, frames: bytes) -> None:
    """Send frames on a connection of pika's, after the frames that still wait there."""
    connection._output_marshaled_frames([frames])
