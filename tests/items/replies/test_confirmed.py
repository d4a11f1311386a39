"""Single messages to a real RabbitMQ: what waits, what is given up, and that the next one goes."""

import json
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from janitor.errors import Cancelled, Rejected, Unavailable
from janitor.items.replies.rabbitmq import RabbitReply, RabbitSender
from janitor.runs import Run, running
from tests.brokers import full_queue, message_limit
from tests.fixtures import Exchange
from tests.items.answers import answer
from tests.items.replies.received import received
from tests.messages import settings_for
from tests.servers import Broker

REPLY = RabbitReply("caller")


def test_a_queue_that_is_gone_is_given_up_and_the_next_goes(rabbitmq: Broker, queue: str, sender: RabbitSender) -> None:
    # Given: somebody who asked and is gone. What must hold: that reply can never go, and the next one goes.
    said = f"^there is no queue 'gone' at 127.0.0.1:{rabbitmq.port}, virtual host '/': whoever asked is gone$"
    with pytest.raises(Rejected, match=said):
        sender.send(answer(envelope={"reply_to": "gone"}))
    sender.send(answer(envelope={"reply_to": queue}))
    assert len(received(rabbitmq, queue)) == 1


def test_an_exchange_without_a_queue_is_told(rabbitmq: Broker, exchange: Exchange) -> None:
    exchange.unbind()
    sender = RabbitReply("all", exchange.name, "fanout").open(settings_for(rabbitmq))
    with pytest.raises(Rejected, match=f"^no queue is bound to exchange '{exchange.name}' .* key 'analyses.processed'"):
        sender.send(answer())
    exchange.bind()
    sender.send(answer())
    sender.close()
    assert exchange.waiting() == 1


def test_a_full_queue_lets_the_reply_wait(rabbitmq: Broker, exchange: Exchange) -> None:
    sender = RabbitReply("all", exchange.name, "fanout").open(settings_for(rabbitmq))
    with full_queue(exchange):
        with pytest.raises(Unavailable, match="did not take it: a queue bound to it is full or broken$"):
            sender.send(answer())
    sender.send(answer())
    sender.close()


@pytest.mark.slow
def test_a_reply_that_is_too_large_is_refused_alone(rabbitmq: Broker, queue: str) -> None:
    with message_limit(rabbitmq, 1_000):
        sender = REPLY.open(settings_for(rabbitmq))
        with pytest.raises(Rejected, match="refuses it: .*larger than configured max size"):
            sender.send(answer(envelope={"reply_to": queue}, results={"compute": "x" * 2_000}))
        sender.send(answer(envelope={"reply_to": queue}))
        sender.close()
    assert [json.loads(one.body)["results"] for one in received(rabbitmq, queue)] == [{"compute": {"cells": 3}}]


@pytest.mark.slow
def test_a_broker_that_was_away_is_used_again(rabbitmq: Broker, queue: str, sender: RabbitSender) -> None:
    asked = answer(envelope={"reply_to": queue})
    sender.send(asked)
    with rabbitmq.stopped():
        for _ in range(2):
            with pytest.raises(Unavailable, match=f"127.0.0.1:{rabbitmq.port}"):
                sender.send(asked)
    sender.send(asked)
    assert len(received(rabbitmq, queue)) == 2


def test_a_connection_that_idled_is_not_trusted(
    rabbitmq: Broker, queue: str, sender: RabbitSender, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("janitor.items.replies.confirmed.IDLE_SECONDS", -1.0)
    for _ in range(2):
        sender.send(answer(envelope={"reply_to": queue}))
    assert len(received(rabbitmq, queue)) == 2


@contextmanager
def alarm(rabbitmq: Broker) -> Iterator[None]:
    """RabbitMQ's memory alarm, for the length of a block: it reads nothing that publishers send."""
    rabbitmq.ctl("set_vm_memory_high_watermark", "0")
    try:
        yield
    finally:
        rabbitmq.ctl("set_vm_memory_high_watermark", "0.4")


@pytest.mark.slow
def test_a_blocked_broker_is_waited_for_within_limits(rabbitmq: Broker, queue: str) -> None:
    sender = REPLY.open(settings_for(rabbitmq, STATEMENT_TIMEOUT_SECONDS="1"))
    with alarm(rabbitmq):
        with pytest.raises(Unavailable, match="within 1 s .* it has blocked its publishers: low on memory"):
            sender.send(answer(envelope={"reply_to": queue}))
    sender.close()


def test_a_run_that_is_to_stop_sends_nothing_more(rabbitmq: Broker, queue: str, sender: RabbitSender) -> None:
    run = Run()
    run.ask_to_stop(Cancelled("a person asked"))
    with running(run), pytest.raises(Cancelled, match="a person asked"):
        sender.send(answer(envelope={"reply_to": queue}))
        sender.send(answer(envelope={"reply_to": queue}))


def test_a_missing_exchange_stops_the_run_and_loses_no_reply(rabbitmq: Broker, exchange: Exchange) -> None:
    reply = RabbitReply("all", exchange.name, "fanout")
    sender = reply.open(settings_for(rabbitmq))
    with rabbitmq.channel() as channel:
        channel.exchange_delete(exchange.name)
    # At first the open channel says so; then each new one.
    for _ in range(2):
        with pytest.raises(Unavailable, match=f"^the exchange '{exchange.name}' at .* does not exist"):
            sender.send(answer())
    sender.close()
    for act in (reply.open, reply.look):
        with pytest.raises(Rejected, match=f"^the exchange '{exchange.name}' at .* does not exist: declare it once"):
            act(settings_for(rabbitmq))
