"""Fixtures of the tests of replies: a queue of whoever asked, and a connection by which replies go there."""

import uuid
from collections.abc import Iterator

import pytest

from janitor.items.replies.rabbitmq import RabbitReply, RabbitSender
from tests.messages import settings_for
from tests.servers import Broker


@pytest.fixture
def queue(rabbitmq: Broker) -> Iterator[str]:
    """An empty queue of whoever asked."""
    name = f"test_{uuid.uuid4().hex[:12]}"
    with rabbitmq.channel() as channel:
        channel.queue_declare(name, durable=True)
    yield name
    rabbitmq.start()
    with rabbitmq.channel() as channel:
        channel.queue_delete(name)


@pytest.fixture
def sender(rabbitmq: Broker) -> Iterator[RabbitSender]:
    """A connection by which replies are sent."""
    sender = RabbitReply("caller").open(settings_for(rabbitmq))
    yield sender
    sender.close()
