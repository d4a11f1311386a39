"""Messages that become items: from a queue of RabbitMQ and of SQS, beside clients that only take and forget them."""

import json
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

import pika

from benchmarks import pika_bare, processes
from benchmarks.clockwork import empty_folder
from benchmarks.measures import Line, Rival, seconds_of
from tests.servers import Broker, running
from tests.servers.aws import Aws, SqsQueue

RABBIT_GOAL = 3_000
PREFETCH = 500
WINDOW = 1_000
SMALL = {"kind": "measurement", "barcode": "DN0000684E", "values": [0.25, 0.5, 1.75], "by": "somebody"}


def received(broker: Broker, messages: int, sqs_messages: int) -> list[Line]:
    """Measure messages a second, from the beginning of an inbox's run until all are committed and acknowledged."""
    return [of_rabbitmq(broker, messages), of_sqs(sqs_messages)]


def of_rabbitmq(broker: Broker, number: int) -> Line:
    """Measure RabbitMQ's inbox, and bare pika on as many messages."""
    with _rabbit_queue(broker) as queue:
        _publish(broker, queue, number)
        bare = number / seconds_of(lambda: _take_bare(broker, queue, number))
        _publish(broker, queue, number)
        rate = number / _received("rabbitmq", queue, number, broker.environment())
        left = broker.waiting(queue)
    if left:
        raise processes.Failed(f"{left} of {number} messages were not acknowledged")
    limit = Rival("limit: bare pika, which takes and acknowledges", bare, f"{PREFETCH} at a time; it keeps nothing")
    name = f"RabbitMQ inbox, {number:,} messages, each committed, then acknowledged"
    return Line(name, rate, "messages/s", f">= {RABBIT_GOAL:,} a second", rate >= RABBIT_GOAL, [limit])


def of_sqs(number: int) -> Line:
    """Measure the inbox of SQS on a server for tests, and a bare client on as many messages."""
    bodies = [_body(one) for one in range(number)]
    with running(Aws()) as server:
        queue = server.create_queue()
        try:
            queue.send_all(bodies)
            bare = number / seconds_of(lambda: _take_bare_sqs(queue, number))
            queue.send_all(bodies)
            rate = number / _received("sqs", queue.name, number, server.environment())
            left = queue.counts()
        finally:
            queue.delete()
    if left != (0, 0):
        raise processes.Failed(f"of {number} messages {left[0]} wait, and {left[1]} are not deleted")
    limit = Rival("a bare client, ten at a time, one request after the other", bare, "it keeps nothing")
    name = f"SQS inbox, {number:,} messages of a server for tests, each committed, then deleted"
    return Line(name, rate, "messages/s", rivals=[limit])


def _received(kind: str, queue: str, number: int, environment: dict[str, str]) -> float:
    """Let a daemon receive all that waits in a queue; its state is in SQLite on the disk."""
    with empty_folder() as folder:
        own = {
            "STATE_DATABASE_URL": f"sqlite:///{folder / 'state.db'}",
            "HEARTBEAT_FILE": str(folder / "heartbeat"),
            "LOG_LEVEL": "WARNING",
            "WEB_PORT": "0",
        }
        arguments = ("inbox", kind, queue, str(number))
        found = processes.python("benchmarks.items_daemon", *arguments, environment=own | environment)
    return float(found["seconds"])


def _body(number: int) -> str:
    return json.dumps({"key": f"message {number}", **SMALL})


@contextmanager
def _rabbit_queue(broker: Broker) -> Iterator[str]:
    """Give a durable queue with an exchange of the same name; both are gone after the block."""
    name = f"bench_{uuid.uuid4().hex[:12]}"
    with broker.channel() as channel:
        channel.exchange_declare(name, "fanout", durable=True)
        channel.queue_declare(name, durable=True)
        channel.queue_bind(name, name, "")
    try:
        yield name
    finally:
        with broker.channel() as channel:
            channel.queue_delete(name)
            channel.exchange_delete(name)


def _publish(broker: Broker, queue: str, number: int) -> None:
    pika_bare.windowed(broker.parameters, queue, [_body(one).encode() for one in range(number)], WINDOW)
    if broker.waiting(queue) != number:
        raise processes.Failed(f"the queue holds {broker.waiting(queue)} messages, not {number}")
    time.sleep(1)  # The broker needs time after a burst.


def _take_bare(broker: Broker, queue: str, number: int) -> None:
    connection = pika.BlockingConnection(broker.parameters)
    channel = connection.channel()
    channel.basic_qos(prefetch_count=PREFETCH)
    for taken, (method, _, body) in enumerate(channel.consume(queue), 1):
        json.loads(body or b"")
        if taken % (PREFETCH // 2) == 0 or taken == number:
            channel.basic_ack(method.delivery_tag or 0, multiple=True)
        if taken == number:
            break
    connection.close()


def _take_bare_sqs(queue: SqsQueue, number: int) -> None:
    taken = 0
    while taken < number:
        found = queue.receive()
        entries = [{"Id": str(at), "ReceiptHandle": one["ReceiptHandle"]} for at, one in enumerate(found)]
        if entries:
            queue.sqs.delete_message_batch(QueueUrl=queue.url, Entries=entries)
        taken += len(found)
