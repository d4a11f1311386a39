"""Brokers that refuse: a message for its size, or for a queue that is full."""

from collections.abc import Iterator
from contextlib import contextmanager

from tests.fixtures import Exchange
from tests.servers import Broker


@contextmanager
def message_limit(rabbitmq: Broker, limit: int) -> Iterator[None]:
    """RabbitMQ takes no message of more bytes, on channels that are opened in the block."""
    with _limit(rabbitmq, "max_message_size", limit, 134217728):
        yield


@contextmanager
def channel_limit(rabbitmq: Broker, limit: int) -> Iterator[None]:
    """RabbitMQ allows no more channels on a connection that is opened in the block."""
    with _limit(rabbitmq, "channel_max", limit, 2047):
        yield


@contextmanager
def _limit(rabbitmq: Broker, name: str, limit: int, default: int) -> Iterator[None]:
    before = rabbitmq.ctl("eval", f"application:get_env(rabbit, {name}, {default}).").strip()
    rabbitmq.ctl("eval", f"application:set_env(rabbit, {name}, {limit}).")
    try:
        yield
    finally:
        rabbitmq.ctl("eval", f"application:set_env(rabbit, {name}, {before}).")


@contextmanager
def full_queue(exchange: Exchange, most: int = 0) -> Iterator[str]:
    """Another queue of the exchange, which rejects what it has no room for."""
    name = f"{exchange.name}_full"
    with exchange.broker.channel() as channel:
        channel.queue_declare(name, durable=True, arguments={"x-max-length": most, "x-overflow": "reject-publish"})
        channel.queue_bind(name, exchange.name, "")
    try:
        yield name
    finally:
        with exchange.broker.channel() as channel:
            channel.queue_delete(name)
