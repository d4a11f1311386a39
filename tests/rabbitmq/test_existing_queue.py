"""Reading a queue that exists, at a real RabbitMQ, in batches."""

import uuid
from collections.abc import Iterator

import pika
import pytest

from janitor.errors import Cancelled, Rejected, Unavailable
from janitor.rabbitmq.connection import connected
from janitor.rabbitmq.existing_queue import inspect_queue, reading_queue
from janitor.runs import Run, running
from tests.messages import settings_for
from tests.servers import Broker
from tests.small_engine import eventually


@pytest.fixture(params=["classic", "quorum"])
def queue(request: pytest.FixtureRequest, rabbitmq: Broker) -> Iterator[str]:
    """A durable queue with 30 messages."""
    name = f"test_{uuid.uuid4().hex[:12]}"
    with rabbitmq.channel() as channel:
        channel.queue_declare(name, durable=True, arguments={"x-queue-type": request.param})
        channel.confirm_delivery()
        for number in range(30):
            channel.basic_publish("", name, str(number).encode(), pika.BasicProperties(message_id=f"m{number}"))
    eventually(lambda: rabbitmq.waiting(name) == 30)
    yield name
    rabbitmq.start()
    with rabbitmq.channel() as channel:
        channel.queue_delete(name)


def test_batches_come_in_order_and_are_settled(rabbitmq: Broker, queue: str) -> None:
    # Given: fewer messages sent ahead than there are. What happens: batches are read and settled. What must hold: all
    # come in order, and the queue is empty.
    found = []
    with reading_queue(settings_for(rabbitmq), queue, prefetch=8) as reader:
        while batch := reader.next(5, 0.2, 1):
            assert len(batch) <= 5
            found += [(one.properties.message_id, one.body) for one in batch]
            reader.settle(batch)
    assert found == [(f"m{number}", str(number).encode()) for number in range(30)]
    assert rabbitmq.waiting(queue) == 0


def test_what_is_not_settled_comes_again(rabbitmq: Broker, queue: str) -> None:
    settings = settings_for(rabbitmq)
    with reading_queue(settings, queue, prefetch=20) as reader:
        reader.settle(reader.next(10, 1, 10))
        assert len(reader.next(10, 1, 10)) == 10
    eventually(lambda: rabbitmq.waiting(queue) == 20)
    with reading_queue(settings, queue, prefetch=20) as reader:
        again = reader.next(20, 1, 10)
        assert [int(one.body) for one in again] == list(range(10, 30))
        # The broker had sent 20 ahead of the first ten that were settled.
        assert {one.redelivered for one in again[:10]} == {True}


def test_rejected_messages_go_to_the_queues_own_letters(rabbitmq: Broker) -> None:
    name, dead = f"test_{uuid.uuid4().hex[:12]}", f"test_{uuid.uuid4().hex[:12]}"
    with rabbitmq.channel() as channel:
        channel.queue_declare(dead)
        letters = {"x-dead-letter-exchange": "", "x-dead-letter-routing-key": dead}
        channel.queue_declare(name, arguments=letters)
        for number in range(6):
            channel.basic_publish("", name, str(number).encode())
    eventually(lambda: rabbitmq.waiting(name) == 6)
    with reading_queue(settings_for(rabbitmq), name, prefetch=10) as reader:
        batch = reader.next(6, 1, 10)
        reader.settle(batch, {batch[1].tag, batch[5].tag})
        reader.settle([])
    eventually(lambda: (rabbitmq.waiting(name), rabbitmq.waiting(dead)) == (0, 2))
    with rabbitmq.channel() as channel:
        assert [channel.basic_get(dead, auto_ack=True)[2] for _ in range(2)] == [b"1", b"5"]
        channel.queue_delete(name)
        channel.queue_delete(dead)


def test_a_queue_is_inspected_and_nothing_taken(rabbitmq: Broker, queue: str) -> None:
    settings = settings_for(rabbitmq)
    assert inspect_queue(settings, queue) == (30, 0)
    with reading_queue(settings, queue, prefetch=10) as reader:
        batch = reader.next(10, 1, 10)
        assert {one.redelivered for one in batch} == {False} and {one.properties.headers for one in batch} == {None}
        assert inspect_queue(settings, queue)[1] == 1


def test_a_missing_queue_is_rejected(rabbitmq: Broker) -> None:
    settings = settings_for(rabbitmq)
    said = "^the queue 'nowhere' at .*, virtual host '/' does not exist: declare it, or correct its name"
    with pytest.raises(Rejected, match=said), reading_queue(settings, "nowhere", 5):
        pass
    with pytest.raises(Rejected, match=said):
        inspect_queue(settings, "nowhere")


def test_a_queue_of_one_reader_alone_is_told(rabbitmq: Broker) -> None:
    settings = settings_for(rabbitmq)
    with connected(settings) as connection:
        channel = connection.channel()
        connection.call(channel, lambda on: channel.queue_declare("lonely", exclusive=True, callback=on))
        with pytest.raises(Rejected, match="^the queue 'lonely' at .* belongs to another connection alone"):
            inspect_queue(settings, "lonely")
    with rabbitmq.channel() as other:
        other.queue_declare("selfish")
        other.basic_consume("selfish", lambda *_: None, exclusive=True)
        with pytest.raises(Unavailable, match="^the queue 'selfish' at .* has a reader that lets in no other"):
            with reading_queue(settings, "selfish", 5) as reader:
                reader.next(1, 0, 1)
        other.queue_delete("selfish")


def test_a_run_asked_to_stop_waits_for_no_message(rabbitmq: Broker, queue: str) -> None:
    run = Run()
    with running(run), reading_queue(settings_for(rabbitmq), queue, 50) as reader:
        reader.settle(reader.next(30, 1, 10))
        run.ask_to_stop(Cancelled("by hand"))
        with pytest.raises(Cancelled, match="by hand"):
            reader.next(1, 1, 600)


def test_a_queue_that_is_deleted_ends_the_reading(rabbitmq: Broker) -> None:
    with rabbitmq.channel() as channel:
        channel.queue_declare("short_lived")
        with reading_queue(settings_for(rabbitmq), "short_lived", 5) as reader:
            channel.queue_delete("short_lived")
            with pytest.raises(Unavailable, match="^the queue 'short_lived' at .* was deleted, or has moved$"):
                reader.next(1, 1, 20)
