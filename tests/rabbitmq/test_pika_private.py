"""A canary for what we use of pika's private parts: it fails if pika changes there."""

import hashlib
from typing import NamedTuple

import pika
import pytest
from pika.channel import Channel

from janitor.rabbitmq.connection import connected
from janitor.rabbitmq.existing_queue import reading_queue
from janitor.rabbitmq.pika_private import MOST_DIGITS, UNREADABLE, Framing, Headers
from tests.fixtures import Exchange
from tests.messages import settings_for
from tests.servers import Broker


def table(*pairs: bytes) -> bytes:
    """A table of headers, as it goes over the wire."""
    content = b"".join(pairs)
    return len(content).to_bytes(4) + content


def deep(levels: int) -> bytes:
    """A table in a table in a table."""
    found = table()
    for _ in range(levels):
        found = table(b"\x01aF" + found)
    return found


class Raw(pika.BasicProperties):
    """Properties whose headers are bytes."""

    def __init__(self, headers: bytes) -> None:
        super().__init__(content_type="text/plain", correlation_id="c-17")
        self.raw = headers

    def encode(self) -> list[bytes]:
        flags = self.FLAG_CONTENT_TYPE | self.FLAG_HEADERS | self.FLAG_CORRELATION_ID
        return [flags.to_bytes(2), b"\x0atext/plain", self.raw, b"\x04c-17"]


IN_MILLISECONDS = table(b"\x02at" + b"T" + (1_700_000_000_000).to_bytes(8))


@pytest.mark.parametrize("headers", [IN_MILLISECONDS, deep(600)], ids=["milliseconds", "deep"])
def test_headers_that_pika_cannot_decode_cost_no_message(rabbitmq: Broker, headers: bytes) -> None:
    # Given a queue with a good message, one with such headers, and another good one. What must hold: all come, in their
    # order, with their bodies and all else that they say of themselves.
    with rabbitmq.channel() as channel:
        name = channel.queue_declare("", exclusive=False, auto_delete=False).method.queue
        channel.basic_publish("", name, b"before", pika.BasicProperties(headers={"a": 1}))
        channel.basic_publish("", name, b"odd", Raw(headers))
        channel.basic_publish("", name, b"behind", pika.BasicProperties(headers={"b": 2}))
        with reading_queue(settings_for(rabbitmq), name, 10) as queue:
            found = queue.next(3, 5.0, 10.0)
            queue.settle(found)
        channel.queue_delete(name)
    assert [one.body for one in found] == [b"before", b"odd", b"behind"]
    assert [one.properties.headers for one in (found[0], found[2])] == [{"a": 1}, {"b": 2}]
    odd = found[1].properties
    assert (odd.content_type, odd.correlation_id) == ("text/plain", "c-17")
    assert odd.headers == {UNREADABLE: headers[4:].hex()[:MOST_DIGITS]}


class Framed(NamedTuple):
    """A message of this test."""

    id: bytes
    body: bytes
    routing_key: str = ""
    headers: Headers = ()


@pytest.mark.parametrize("body_size", [0, 1, 150, 131_064, 131_065, 400_000])
def test_frames_are_those_that_pika_sends(rabbitmq: Broker, exchange: Exchange, body_size: int) -> None:
    """Given a body below, at and above the size of a frame, our bytes for messages are pika's bytes, each twice."""
    properties = pika.BasicProperties(content_type="avro/binary", headers={"a": "1"}, delivery_mode=2, app_id="x")
    body = b"\xce" * body_size
    id = hashlib.sha256(body).digest()[:16].hex().encode()
    messages = [Framed(id, body), Framed(id, body, "lab.\u20ac"), Framed(id, body, "lab", (("b", 7), ("c", "\u20ac")))]
    with connected(settings_for(rabbitmq)) as connection:
        channel = connection.channel()
        framing = Framing(channel, exchange.name, properties)
        ours = [framing.frames_of([message] * 2) for message in messages]
        sent = [frames_of_pika(channel, exchange.name, message, properties) for message in messages]
    assert ours == [each * 2 for each in sent]


def test_frames_put_out_arrive(rabbitmq: Broker, exchange: Exchange) -> None:
    properties = pika.BasicProperties(content_type="avro/binary")
    with connected(settings_for(rabbitmq)) as connection:
        channel, answers = connection.channel(), list[object]()
        connection.call(channel, lambda answer: channel.confirm_delivery(answers.append, answer))
        framing = Framing(channel, exchange.name, properties)
        connection.send(framing.frames_of([Framed(b"7" * 32, b"one"), Framed(b"8" * 32, b"two")]), channel)
        connection.wait(lambda: exchange.waiting() == 2, 20, "waiting for two messages", channel)
    assert [(one.properties.message_id, one.body) for one in exchange.received()] == [
        ("7" * 32, b"one"),
        ("8" * 32, b"two"),
    ]


@pytest.mark.slow
def test_many_routes_keep_few_bytes(rabbitmq: Broker, exchange: Exchange, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("janitor.rabbitmq.pika_private.HEADS_KEPT", 3)
    properties = pika.BasicProperties()
    messages = [Framed(b"7" * 32, b"one", f"key {number % 5}") for number in range(20)]
    with connected(settings_for(rabbitmq)) as connection:
        channel = connection.channel()
        framing = Framing(channel, exchange.name, properties)
        assert framing.frames_of(messages) == b"".join(
            frames_of_pika(channel, exchange.name, message, properties) for message in messages
        )
    assert len(framing._heads) <= 3


def frames_of_pika(channel: Channel, exchange: str, message: Framed, shared: pika.BasicProperties) -> bytes:
    """What pika itself would send for a message, caught on its way to the network."""
    properties = pika.BasicProperties(
        content_type=shared.content_type,
        headers={**(shared.headers or {}), **dict(message.headers)} or None,
        delivery_mode=shared.delivery_mode,
        app_id=shared.app_id,
        message_id=message.id.decode(),
    )
    caught: list[bytes] = []
    channel.connection._output_marshaled_frames = caught.extend  # type: ignore[attr-defined]
    channel.basic_publish(exchange, message.routing_key, message.body, properties, mandatory=True)
    del channel.connection._output_marshaled_frames  # type: ignore[attr-defined]
    return b"".join(caught)
