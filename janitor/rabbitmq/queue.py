"""A queue of its own, bound to an exchange, from which messages are read."""

from collections import deque
from typing import Any

from janitor.rabbitmq.connection import Broker

PREFETCHED = 200


class Queue:
    """A queue bound to `exchange` for this connection alone; the broker deletes it with the connection."""

    def __init__(self, broker: Broker, exchange: str) -> None:
        self._broker = broker
        self._channel = channel = broker.channel()
        self._messages: deque[tuple[Any, Any, bytes]] = deque()
        declared = broker.call(
            channel, lambda on: channel.queue_declare("", exclusive=True, auto_delete=True, callback=on)
        )
        name = declared.method.queue
        broker.call(channel, lambda on: channel.queue_bind(name, exchange, callback=on))
        broker.call(channel, lambda on: channel.basic_qos(prefetch_count=PREFETCHED, callback=on))
        broker.call(channel, lambda on: channel.basic_consume(name, self._on_message, callback=on))

    def next(self, idle_seconds: float | None) -> tuple[Any, Any, bytes] | None:
        """The next message as method, properties and body; None where none comes for `idle_seconds`."""
        seconds = float("inf") if idle_seconds is None else idle_seconds
        self._broker.drive(lambda: bool(self._messages), seconds, self._channel)
        return self._messages.popleft() if self._messages else None

    def done(self, method: Any) -> None:
        """Let the broker send another message for this one."""
        self._channel.basic_ack(method.delivery_tag)

    def _on_message(self, _: object, method: Any, properties: Any, body: bytes) -> None:
        self._messages.append((method, properties, body))
