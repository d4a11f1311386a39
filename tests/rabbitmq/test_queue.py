"""A queue of a reader's own at a real RabbitMQ."""

import pika
import pytest
from pika.exceptions import ChannelClosed

from janitor.errors import Cancelled
from janitor.rabbitmq.connection import connected
from janitor.rabbitmq.queue import PREFETCHED, Queue
from janitor.runs import Run, running
from tests.fixtures import Exchange
from tests.messages import settings_for
from tests.servers import Broker


def publish(exchange: Exchange, count: int) -> None:
    with exchange.broker.channel() as channel:
        for number in range(count):
            properties = pika.BasicProperties(message_id=f"m{number}")
            channel.basic_publish(exchange.name, "", str(number).encode(), properties)


def test_messages_come_in_order_to_everyone(rabbitmq: Broker, exchange: Exchange) -> None:
    """Given more messages than the broker sends ahead, a reader that acknowledges gets all; so does the other queue."""
    count = PREFETCHED + 50
    with connected(settings_for(rabbitmq)) as connection:
        queue = Queue(connection, exchange.name)
        publish(exchange, count)
        found = []
        for _ in range(count):
            delivery = queue.next(20)
            assert delivery is not None
            queue.acknowledge(delivery)
            found.append((delivery.properties.message_id, delivery.body))
        assert queue.next(0.05) is None
    assert found == [(f"m{number}", str(number).encode()) for number in range(count)]
    assert exchange.waiting() == count


def test_a_reader_that_acknowledges_nothing_gets_no_more(rabbitmq: Broker, exchange: Exchange) -> None:
    with connected(settings_for(rabbitmq)) as connection:
        queue = Queue(connection, exchange.name)
        publish(exchange, PREFETCHED + 1)
        assert sum(queue.next(5) is not None for _ in range(PREFETCHED)) == PREFETCHED
        assert queue.next(0.2) is None


def test_an_exchange_that_is_not_there_closes_the_channel(rabbitmq: Broker) -> None:
    with connected(settings_for(rabbitmq)) as connection, pytest.raises(ChannelClosed, match="nowhere"):
        Queue(connection, "nowhere")


def test_a_run_asked_to_stop_waits_for_no_message(rabbitmq: Broker, exchange: Exchange) -> None:
    run = Run()
    with running(run), connected(settings_for(rabbitmq)) as connection:
        queue = Queue(connection, exchange.name)
        run.ask_to_stop(Cancelled("by hand"))
        with pytest.raises(Cancelled, match="by hand"):
            queue.next(None)
