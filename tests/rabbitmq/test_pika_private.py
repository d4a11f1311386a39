"""A canary for what we use of pika's private parts: it fails if pika changes there."""

import hashlib

import pika
import pytest
from pika.channel import Channel

from janitor.rabbitmq.connection import connected
from janitor.rabbitmq.pika_private import frames_of
from tests.fixtures import Exchange
from tests.messages import settings_for
from tests.servers import Broker


@pytest.mark.parametrize("body_size", [1, 150, 131_064, 131_065, 400_000])
def test_frames_are_those_that_pika_sends(rabbitmq: Broker, exchange: Exchange, body_size: int) -> None:
    """Given a body below, at and above the size of a frame, our bytes for two messages are pika's bytes, twice."""
    properties = pika.BasicProperties(content_type="avro/binary", headers={"a": "1"}, delivery_mode=2, app_id="x")
    body = b"\xce" * body_size
    message = (hashlib.sha256(body).digest()[:16].hex().encode(), body)
    with connected(settings_for(rabbitmq)) as connection:
        channel = connection.channel()
        ours = frames_of(channel, exchange.name, [message] * 2, properties)
        sent = frames_of_pika(channel, exchange.name, message, properties)
    assert ours == sent * 2


def test_frames_put_out_arrive(rabbitmq: Broker, exchange: Exchange) -> None:
    properties = pika.BasicProperties(content_type="avro/binary")
    with connected(settings_for(rabbitmq)) as connection:
        channel, answers = connection.channel(), list[object]()
        connection.call(channel, lambda answer: channel.confirm_delivery(answers.append, answer))
        connection.send(
            frames_of(channel, exchange.name, [(b"7" * 32, b"one"), (b"8" * 32, b"two")], properties), channel
        )
        connection.wait(lambda: exchange.waiting() == 2, 20, "waiting for two messages", channel)
    assert [(one.properties.message_id, one.body) for one in exchange.received()] == [
        ("7" * 32, b"one"),
        ("8" * 32, b"two"),
    ]


def frames_of_pika(
    channel: Channel, exchange: str, message: tuple[bytes, bytes], properties: pika.BasicProperties
) -> bytes:
    """What pika itself would send for a message, caught on its way to the network."""
    id, body = message
    properties.message_id = id.decode()
    caught: list[bytes] = []
    channel.connection._output_marshaled_frames = caught.extend  # type: ignore[attr-defined]
    channel.basic_publish(exchange, "", body, properties, mandatory=True)
    del channel.connection._output_marshaled_frames  # type: ignore[attr-defined]
    return b"".join(caught)
