"""Groups that a real RabbitMQ does not confirm: what is said, and what is published afterwards."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from janitor.errors import Cancelled, DeadlineExceeded, Rejected, Unavailable
from janitor.runs import Run, running
from tests.fixtures import Exchange
from tests.messages import publisher_to, settings_for, statuses
from tests.publisher.decoding import decoded
from tests.servers import Broker


@contextmanager
def alarm(rabbitmq: Broker) -> Iterator[None]:
    """RabbitMQ's memory alarm, for the length of a block: it reads nothing that publishers send."""
    rabbitmq.ctl("set_vm_memory_high_watermark", "0")
    try:
        yield
    finally:
        rabbitmq.ctl("set_vm_memory_high_watermark", "0.4")


def test_unroutable_message_fails(rabbitmq: Broker, exchange: Exchange) -> None:
    exchange.unbind()
    with publisher_to(settings_for(rabbitmq), exchange.name) as publisher:
        with pytest.raises(
            Rejected, match=f"^no queue is bound to exchange '{exchange.name}' at 127.0.0.1:{rabbitmq.port}"
        ):
            publisher.publish(statuses(3))
        exchange.bind()
        publisher.publish(statuses(3))
    assert decoded(exchange) == statuses(3)


def test_unroutable_message_is_dropped_if_told_so(
    rabbitmq: Broker, exchange: Exchange, caplog: pytest.LogCaptureFixture
) -> None:
    exchange.unbind()
    with publisher_to(settings_for(rabbitmq), exchange.name, unroutable="drop") as publisher:
        publisher.publish(statuses(3))
        publisher.publish(statuses(2))
    assert [record.getMessage() for record in caplog.records if record.name == "janitor.publisher.to_rabbitmq"] == [
        f"exchange '{exchange.name}': 5 messages reached no queue"
    ]


def test_missing_exchange_is_rejected(rabbitmq: Broker) -> None:
    with publisher_to(settings_for(rabbitmq), "nowhere") as publisher:
        with pytest.raises(Rejected, match="^the exchange 'nowhere' at .* does not exist: declare it once"):
            publisher.publish(statuses(1))


@pytest.mark.parametrize(("kind", "durable"), [("direct", True), ("fanout", False)])
def test_other_exchange_is_rejected(rabbitmq: Broker, kind: str, durable: bool) -> None:
    name = f"other_{kind}_{durable}"
    with rabbitmq.channel() as channel:
        channel.exchange_declare(name, kind, durable=durable)
        channel.queue_declare(name, exclusive=True)
        channel.queue_bind(name, name)
        with publisher_to(settings_for(rabbitmq), name) as publisher:
            with pytest.raises(Rejected, match=f"^the exchange '{name}' at .* is not as it must be .*inequivalent arg"):
                publisher.publish(statuses(1))
        assert channel.queue_declare(name, passive=True).method.message_count == 0
        channel.exchange_delete(name)


def test_exchange_deleted_between_groups_is_rejected(rabbitmq: Broker, exchange: Exchange) -> None:
    with publisher_to(settings_for(rabbitmq), exchange.name) as publisher:
        publisher.publish(statuses(3))
        with rabbitmq.channel() as channel:
            channel.exchange_delete(exchange.name)
            with pytest.raises(Rejected, match="does not exist"):
                publisher.publish(statuses(3))
            channel.exchange_declare(exchange.name, "fanout", durable=True)
        exchange.bind()
        publisher.publish(statuses(2))
    assert decoded(exchange) == statuses(3) + statuses(2)


@pytest.mark.slow
def test_user_without_rights_is_rejected(rabbitmq: Broker, exchange: Exchange) -> None:
    rabbitmq.ctl("add_user", "reader", "r3ader-word")
    rabbitmq.ctl("set_permissions", "reader", "^$", "^$", ".*")
    settings = settings_for(rabbitmq, RABBITMQ_USERNAME="reader", RABBITMQ_PASSWORD="r3ader-word")
    with publisher_to(settings, exchange.name) as publisher:
        with pytest.raises(Rejected, match="^the user 'reader' may not use exchange .*ACCESS_REFUSED"):
            publisher.publish(statuses(1))
    rabbitmq.ctl("set_permissions", "reader", "^$", ".*", "^$")
    with publisher_to(settings, exchange.name) as publisher:
        publisher.publish(statuses(1))
    rabbitmq.ctl("delete_user", "reader")
    assert decoded(exchange) == statuses(1)


def test_nack_is_unavailable(rabbitmq: Broker, exchange: Exchange) -> None:
    with rabbitmq.channel() as channel:
        full = {"x-max-length": 2, "x-overflow": "reject-publish"}
        channel.queue_declare("full", durable=True, arguments=full)
        channel.queue_bind("full", exchange.name)
        with publisher_to(settings_for(rabbitmq), exchange.name) as publisher:
            publisher.publish(statuses(2))
            with pytest.raises(
                Unavailable, match="^(10|[1-9]) of 10 records were refused: exchange .* is full or broken$"
            ):
                publisher.publish(statuses(10))
        channel.queue_delete("full")


@pytest.mark.slow
def test_wait_for_a_blocked_broker_is_bounded(rabbitmq: Broker, exchange: Exchange) -> None:
    run = Run()
    settings = settings_for(rabbitmq, STATEMENT_TIMEOUT_SECONDS="1")
    with publisher_to(settings, exchange.name) as publisher, alarm(rabbitmq):
        with pytest.raises(Unavailable, match="within 1 s .* it has blocked its publishers: low on memory"):
            publisher.publish(statuses(3))
        with running(Run(deadline=time.monotonic() + 0.5, timeout_seconds=0.5)), pytest.raises(DeadlineExceeded):
            publisher.publish(statuses(3))
        threading.Timer(0.5, run.ask_to_stop, [Cancelled("by hand")]).start()
        with running(run), pytest.raises(Cancelled, match="by hand"):
            publisher.publish(statuses(3))
