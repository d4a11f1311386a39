"""A queue of a reader's own: it gets a copy of each message that an exchange gets from now on."""

from collections import deque
from typing import Any, NamedTuple

from janitor.rabbitmq.connection import Connection

PREFETCHED = 200
"""How many messages the broker sends ahead of those acknowledged."""


class Delivery(NamedTuple):
    """A message as it came: the broker's number for it, pika's properties, and the body."""

    tag: int
    properties: Any
    body: bytes


class Queue:
    """A queue bound to `exchange` for this connection alone; the broker deletes it with the connection."""

    def __init__(self, connection: Connection, exchange: str, binding_key: str = "") -> None:
        """Declare the queue, bind it and begin to consume.

        `binding_key` says what it gets of an exchange that is not fanout.

        Raises:
            ChannelClosed: there is no such exchange, or the user may not do this.
            Unavailable: the broker does not answer in time.
        """
        self._connection = connection
        self._channel = channel = connection.channel()
        self._waiting: deque[Delivery] = deque()
        declared = connection.call(
            channel, lambda on: channel.queue_declare("", exclusive=True, auto_delete=True, callback=on)
        )
        name = declared.method.queue
        connection.call(channel, lambda on: channel.queue_bind(name, exchange, binding_key, callback=on))
        connection.call(channel, lambda on: channel.basic_qos(prefetch_count=PREFETCHED, callback=on))
        connection.call(channel, lambda on: channel.basic_consume(name, self._on_message, callback=on))

    def next(self, idle_seconds: float | None) -> Delivery | None:
        """Wait for the next message; None if no message comes for `idle_seconds`. Without them it waits for ever.

        Raises:
            Unavailable, ChannelClosed, DeadlineExceeded, Cancelled: as `Connection.wait` does.
        """
        seconds = float("inf") if idle_seconds is None else idle_seconds
        self._connection.drive(lambda: bool(self._waiting), seconds, self._channel)
        return self._waiting.popleft() if self._waiting else None

    def acknowledge(self, delivery: Delivery) -> None:
        """Let the broker forget a message, and send another for it.

        Raises:
            Unavailable, ChannelClosed: as `Connection.tell` does.
        """
        self._connection.tell(self._channel, lambda: self._channel.basic_ack(delivery.tag))

    def _on_message(self, _: object, method: Any, properties: Any, body: bytes) -> None:
        self._waiting.append(Delivery(method.delivery_tag, properties, body))
