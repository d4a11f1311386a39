"""An independent consumer: only pika and fastavro, on a durable queue of its own. It keeps every message."""

import threading
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import pika
from pika.exceptions import AMQPError

from janitor.guard import foreign_code
from tests.fixtures import Received
from tests.servers import Broker
from tests.tasks.sequencing_publisher.consumer import records_of
from tests.tasks.sequencing_publisher.oracle import Record, as_record

RETRY_SECONDS = 0.2
PATIENCE_SECONDS = 60.0


@dataclass(frozen=True)
class Message:
    """A message that arrived: its id, the run that published it, and what it says."""

    id: str
    run: str
    records: tuple[Record, ...]


class Consumer:
    """Declares a durable fanout exchange with a durable queue, and collects its messages until `close`.

    The queue keeps what is published while the consumer is away. If the broker misses an acknowledgement and delivers a
    message again, the message counts once.
    """

    def __init__(self, broker: Broker, exchange: str) -> None:
        """Declare and bind, and begin to collect in a thread."""
        self.broker, self.exchange, self.queue = broker, exchange, f"{exchange}.consumer"
        self.messages: list[Message] = []
        self._stop = threading.Event()
        self._failure: BaseException | None = None
        self.declare()
        self._thread = threading.Thread(target=self._loop, name="consumer", daemon=True)
        self._thread.start()

    def declare(self) -> None:
        """Make the exchange, the queue and the binding, if they are not there."""
        with self.broker.channel() as channel:
            channel.exchange_declare(self.exchange, "fanout", durable=True)
            channel.queue_declare(self.queue, durable=True)
            channel.queue_bind(self.queue, self.exchange, "")

    def unbind(self) -> None:
        """Unbind the queue from the exchange."""
        with self.broker.channel() as channel:
            channel.queue_unbind(self.queue, self.exchange, "")

    def drain(self) -> list[Message]:
        """Wait until the queue is empty and collected; return every message so far."""
        end = time.monotonic() + PATIENCE_SECONDS
        seen = -1
        while self.broker.waiting(self.queue) or seen != len(self.messages):
            if self._failure is not None:
                raise self._failure
            assert time.monotonic() < end, "the consumer does not come to the end of its queue"
            seen = len(self.messages)
            time.sleep(0.1)
        return list(self.messages)

    def close(self) -> None:
        """Stop, and remove the queue and the exchange."""
        self._stop.set()
        self._thread.join(PATIENCE_SECONDS)
        with self.broker.channel() as channel:
            channel.queue_delete(self.queue)
            channel.exchange_delete(self.exchange)

    def _loop(self) -> None:
        with foreign_code(self._fail, BaseException):
            while not self._stop.is_set():
                try:
                    self._collect()
                except (AMQPError, OSError):
                    self._stop.wait(RETRY_SECONDS)

    def _fail(self, failure: BaseException) -> None:
        """Keep what ended the loop; `drain` raises it."""
        self._failure = failure

    def _collect(self) -> None:
        connection = pika.BlockingConnection(self.broker.parameters)
        try:
            channel = connection.channel()
            channel.basic_qos(prefetch_count=500)
            for method, properties, body in channel.consume(self.queue, inactivity_timeout=0.1):
                if self._stop.is_set():
                    return
                if method is not None and properties is not None and body is not None:
                    self._keep(Received(body, properties, method.routing_key or "", method.redelivered))
                    channel.basic_ack(method.delivery_tag or 0)
        finally:
            if connection.is_open:
                connection.close()

    def _keep(self, received: Received) -> None:
        records = tuple(as_record(record) for record in records_of(received))
        properties: Any = received.properties
        message = Message(str(properties.message_id), str(properties.correlation_id), records)
        if not (received.redelivered and message in self.messages):
            self.messages.append(message)


def counted(messages: Iterable[Message]) -> Counter[Record]:
    """Count how often each record came."""
    return Counter(record for message in messages for record in message.records)
