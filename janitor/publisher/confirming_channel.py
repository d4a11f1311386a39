"""A channel on which a whole group is in flight at once and each message is confirmed."""

import secrets
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Self

from pika import BasicProperties, frame, spec
from pika.channel import Channel
from pika.exceptions import ChannelClosed

from janitor.errors import Unavailable
from janitor.publisher.avro import DIGEST_BYTES, digest
from janitor.rabbitmq.connection import Broker
from janitor.rabbitmq.errors import refused
from janitor.rabbitmq.exchanges import check_exchange

FRAME_OVERHEAD = 8
FRAME_END = bytes([spec.FRAME_END])
HEADER_SIZED = 19
"""Where a content header's frame holds the body's size, up to here: after its head (7 bytes), class and weight (4)."""


class Message(NamedTuple):
    """A message to be: its id, as hex, and its body."""

    id: bytes
    body: bytes

    @classmethod
    def of(cls, body: bytes) -> Self:
        """The message with this body; the same body always has the same id."""
        return cls(digest(body).hex().encode(), body)


class ConfirmingChannel:
    """A channel on which each group is confirmed, all of it, before the next is sent.

    Raises:
        Unavailable, Rejected: the exchange is missing or is not durable and fanout, as `check_exchange` finds.
    """

    def __init__(self, broker: Broker, exchange: str) -> None:
        self._broker, self._exchange = broker, exchange
        self._channel = channel = broker.channel()
        check_exchange(broker, channel, exchange)
        broker.call(channel, lambda answer: channel.confirm_delivery(self._on_confirm, answer))
        channel.add_on_return_callback(self._on_return)
        self._sent = 0
        self._unconfirmed: set[int] = set()
        self._nacked = 0
        self._returned = 0

    def send(self, messages: Sequence[Message], properties: BasicProperties, meanwhile: Callable[[], None]) -> int:
        """Send the messages, wait until each is confirmed, and return how many reached no queue.

        `meanwhile` is called once they have left, while the broker has work.

        Raises:
            Unavailable: a message was refused, or not all were confirmed in time.
            Rejected: the exchange is gone, or the user may not write to it.
        """
        last = self._sent + len(messages)
        self._unconfirmed = set(range(self._sent + 1, last + 1))
        self._sent, self._nacked, self._returned = last, 0, 0
        try:
            self._broker.send(_frames(self._channel, self._exchange, messages, properties), self._channel)
            meanwhile()
            doing = f"confirming {len(messages)} messages to exchange {self._exchange!r}"
            self._broker.wait(lambda: not self._unconfirmed, self._broker.answer_seconds, doing, self._channel)
        except ChannelClosed as exc:
            raise refused(exc, self._broker.peer, self._exchange) from exc
        if self._nacked:
            refusal = f"{self._broker.peer} refused {self._nacked} of {len(messages)} messages to exchange"
            raise Unavailable(f"{refusal} {self._exchange!r}: a queue bound to it is full or broken")
        return self._returned

    def _on_confirm(self, confirm: Any) -> None:
        tag, multiple = confirm.method.delivery_tag, confirm.method.multiple
        settled = {each for each in self._unconfirmed if each <= tag} if multiple else {tag}
        self._unconfirmed -= settled
        if isinstance(confirm.method, spec.Basic.Nack):
            self._nacked += len(settled)

    def _on_return(self, *_: object) -> None:
        self._returned += 1


def _frames(channel: Channel, exchange: str, messages: Sequence[Message], properties: BasicProperties) -> bytes:
    """What `channel.basic_publish` sends for each of the messages, mandatory, in one piece.

    Marshalling each message anew takes pika many times as long: messages of a group differ by body and id alone.
    """
    number = channel.channel_number
    properties.message_id = secrets.token_hex(DIGEST_BYTES)
    method = frame.Method(number, spec.Basic.Publish(exchange=exchange, routing_key="", mandatory=True)).marshal()
    header = frame.Header(number, 0, properties).marshal()
    before_id, after_id = header[HEADER_SIZED:].split(properties.message_id.encode())
    before_size, body_head = method + header[: HEADER_SIZED - 8], frame.Body(number, b"").marshal()[:3]
    most = channel.connection.params.frame_max - FRAME_OVERHEAD
    parts: list[bytes] = []
    for id, body in messages:
        size = len(body)
        parts += before_size, size.to_bytes(8), before_id, id, after_id
        for start in range(0, size, most):
            part = body[start : start + most]
            parts += body_head, len(part).to_bytes(4), part, FRAME_END
    return b"".join(parts)
