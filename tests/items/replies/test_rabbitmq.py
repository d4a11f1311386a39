"""Replies over a real RabbitMQ: to the queue that a message names, or to an exchange; confirmed, or not sent."""

import json
from typing import Any

import pytest

from janitor.errors import BadSetting, Rejected, Skip
from janitor.items.replies.rabbitmq import RabbitReply, RabbitSender
from janitor.settings import Settings
from tests.fixtures import Exchange
from tests.items.answers import FAILURE, TOKEN, answer
from tests.items.replies.received import received
from tests.messages import settings_for
from tests.servers import Broker

REPLY = RabbitReply("caller")


def test_whoever_asked_is_answered(rabbitmq: Broker, queue: str, sender: RabbitSender) -> None:
    sender.send(answer(envelope={"reply_to": queue, "correlation_id": "c-9"}))
    sender.send(answer("K8", envelope={"reply_to": queue}, **FAILURE))
    first, second = received(rabbitmq, queue)
    said = json.loads(first.body)
    assert (said["key"], said["status"], said["results"]) == ("K7", "processed", {"compute": {"cells": 3}})
    properties = first.properties
    assert (properties.message_id, properties.correlation_id, properties.delivery_mode) == ("analyses-41", "c-9", 2)
    assert (properties.content_type, properties.type, properties.app_id) == (
        *("application/json", "item_ended"),
        "janitor",
    )
    assert second.properties.correlation_id is None and json.loads(second.body)["code"] == "E7"
    assert TOKEN.encode() not in first.body


def test_nobody_is_told_if_nobody_asked(rabbitmq: Broker, queue: str, sender: RabbitSender) -> None:
    with pytest.raises(Skip, match="^nobody asked by this way$"):
        sender.send(answer())
    sender.beat({"key": "K7"})
    assert received(rabbitmq, queue) == []


def test_the_same_reply_has_the_same_id(rabbitmq: Broker, queue: str, sender: RabbitSender) -> None:
    for _ in range(2):
        sender.send(answer(envelope={"reply_to": queue}))
    assert [one.properties.message_id for one in received(rabbitmq, queue)] == ["analyses-41"] * 2


def test_an_exchange_gets_replies_by_routing_key(rabbitmq: Broker, exchange: Exchange) -> None:
    reply = RabbitReply("all", exchange.name, "fanout", routing_key="{pipeline}.{experimentId}")
    sender = reply.open(settings_for(rabbitmq))
    sender.send(answer(envelope={"reply_to": "another", "correlation_id": 7}))
    sender.close()
    (found,) = exchange.received()
    assert (found.routing_key, found.properties.correlation_id) == ("analyses.E5", "7")


@pytest.mark.parametrize("reply_to", ["", 7, ["a"], "x" * 256, "ö" * 128])
def test_what_is_no_name_of_a_queue_is_given_up(reply_to: Any, sender: RabbitSender) -> None:
    with pytest.raises(Rejected, match="^reply_to is no name of a queue"):
        sender.send(answer(envelope={"reply_to": reply_to}))


def test_check_tells_what_is_there(rabbitmq: Broker, exchange: Exchange) -> None:
    settings, place = settings_for(rabbitmq), f"RabbitMQ at 127.0.0.1:{rabbitmq.port}, virtual host '/'"
    assert REPLY.look(settings) == [f"the default exchange at {place}: is always there"]
    found = RabbitReply("all", exchange.name, "fanout").look(settings)
    assert found == [f"exchange '{exchange.name}' at {place}: exists, fanout, durable"]
    with pytest.raises(Rejected, match="is not as it must be"):
        RabbitReply("all", exchange.name, "topic").look(settings)
    with pytest.raises(BadSetting, match="^RABBITMQ_HOST is missing"):
        REPLY.look(Settings.load({}, dotenv=None))


def test_a_routing_key_that_is_no_template_is_refused() -> None:
    with pytest.raises(BadSetting, match="^routing_key is 'a.{': give names in braces"):
        RabbitReply("all", "x", routing_key="a.{")
