"""From RabbitMQ: the rows of each message that an exchange gets from now on."""

from collections.abc import Iterator
from datetime import datetime, timezone
from typing import Any

from pika.exceptions import ChannelClosed

from janitor.publisher.avro import BadMessage, Schema
from janitor.publisher.heard import Heard, as_json
from janitor.rabbitmq.connection import connected
from janitor.rabbitmq.errors import refused
from janitor.rabbitmq.exchange import Exchange
from janitor.rabbitmq.queue import Delivery, Queue
from janitor.settings.settings import Settings


def rows_of_exchange(
    settings: Settings, schema: Schema, exchange: str, idle_seconds: float | None, binding_key: str = ""
) -> Iterator[Heard]:
    """Yield each row that arrives, until nothing came for `idle_seconds`.

    It reads a queue of its own, so it takes no message from anyone else.

    Raises:
        BadSetting, Unavailable, Rejected: the broker cannot be reached, or the exchange does not exist.
    """
    with connected(settings) as connection:
        try:
            queue = Queue(connection, exchange, binding_key)
            while (delivery := queue.next(idle_seconds)) is not None:
                yield from _rows_of_message(schema, delivery)
                queue.acknowledge(delivery)
        except ChannelClosed as exc:
            raise refused(exc, connection.peer, Exchange(exchange)) from exc


def _rows_of_message(schema: Schema, delivery: Delivery) -> Iterator[Heard]:
    about = _about(delivery.properties)
    is_json = str(delivery.properties.content_type).endswith("json") or about["headers"].get("encoder_type") == "json"
    try:
        rows = schema.decode_lines(delivery.body) if is_json else [schema.decode(delivery.body)]
    except BadMessage as exc:
        yield {"problem": str(exc), **about}
        return
    for row in rows:
        yield {"row": as_json(row), **about}


def _about(properties: Any) -> Heard:
    sent = properties.timestamp
    return {
        "message_id": properties.message_id,
        "timestamp": None if sent is None else datetime.fromtimestamp(sent, timezone.utc).isoformat(),
        "type": properties.type,
        "correlation_id": properties.correlation_id,
        "headers": as_json(properties.headers or {}),
    }
