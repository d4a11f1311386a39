"""From RabbitMQ: rows as JSON, from a queue of the reader's own; no message is taken from anyone else."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Literal

import pytest

from janitor.errors import Rejected
from janitor.publisher.listener import listen
from janitor.runs import Run, running
from janitor.settings import Settings
from tests.fixtures import Exchange
from tests.messages import SCHEMA, publisher_to, settings_for, statuses
from tests.publisher.decoding import FIRST_ROW
from tests.servers import Broker


@contextmanager
def heard(settings: Settings, exchange: Exchange, act: Callable[[], object], **bounds: Any) -> Iterator[list[Any]]:
    """What a listener hears of what `act` does, after it has begun to listen."""
    items: list[Any] = []
    listener = threading.Thread(target=lambda: items.extend(listen(settings, SCHEMA, exchange.name, **bounds)))
    listener.start()
    end = time.monotonic() + 20
    while bindings(exchange) < 2 and time.monotonic() < end:
        time.sleep(0.05)
    act()
    listener.join(30)
    assert not listener.is_alive()
    yield items


def bindings(exchange: Exchange) -> int:
    listed = exchange.broker.ctl("list_bindings", "source_name")
    return listed.split().count(exchange.name)


@pytest.mark.parametrize("encoding", ["binary", "json"])
def test_published_rows_are_heard_as_json(
    rabbitmq: Broker, exchange: Exchange, encoding: Literal["binary", "json"]
) -> None:
    settings = settings_for(rabbitmq)

    def publish() -> None:
        with running(Run(id=731)), publisher_to(settings, exchange.name, encoding=encoding) as publisher:
            publisher.publish(statuses(300))

    with heard(settings, exchange, publish, limit=300) as items:
        assert [item["row"]["labware_barcode"] for item in items] == [f"SQPD-{number:04}" for number in range(300)]
        assert items[0]["row"] == FIRST_ROW
        assert items[0]["headers"]["encoder_type"] == encoding
        assert (items[0]["type"], items[0]["correlation_id"]) == ("sample_sequence_status", "731")
        assert items[0]["timestamp"].endswith("+00:00")
        assert json.loads(json.dumps(items)) == items
    assert [message.properties.message_id for message in exchange.received()][0] == items[0]["message_id"]


def test_message_that_is_no_avro_is_heard_as_a_problem(rabbitmq: Broker, exchange: Exchange) -> None:
    def publish() -> None:
        with rabbitmq.channel() as channel:
            channel.basic_publish(exchange.name, "", b"hello")

    with heard(settings_for(rabbitmq), exchange, publish, limit=1) as items:
        (item,) = items
    assert item["problem"].startswith("these bytes do not begin as a message of uk.ac.sanger.psd")
    assert "row" not in item


def test_the_queue_is_gone_when_listening_ends(rabbitmq: Broker, exchange: Exchange) -> None:
    assert list(listen(settings_for(rabbitmq), SCHEMA, exchange.name, idle_seconds=0.2)) == []
    end = time.monotonic() + 10
    while bindings(exchange) > 1 and time.monotonic() < end:
        time.sleep(0.1)
    assert bindings(exchange) == 1


def test_listening_to_a_missing_exchange_is_rejected(rabbitmq: Broker) -> None:
    with pytest.raises(Rejected, match="^the exchange 'nowhere' at .* does not exist"):
        next(listen(settings_for(rabbitmq), SCHEMA, "nowhere"))
