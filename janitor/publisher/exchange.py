"""Messages out: to RabbitMQ, routed, persistent and confirmed; or to files, embedded."""

import logging
import time
from contextlib import ExitStack, suppress

from pika import BasicProperties, DeliveryMode

from janitor.errors import Rejected
from janitor.publisher.avro import BadMessage, Schema
from janitor.publisher.confirming_channel import ConfirmingChannel, Message
from janitor.publisher.envelope import Envelope, Records
from janitor.rabbitmq.connection import connected
from janitor.rabbitmq.errors import Peer
from janitor.runs import current_run
from janitor.settings.settings import Settings

IDLE_SECONDS = 10.0
"""After how long without a group a new connection is made, as no heartbeat is sent between groups."""


CONTENT_TYPES = {"binary": "avro/binary", "json": "application/x-ndjson"}


logger = logging.getLogger(__name__)


class RabbitPublisher:
    """Publishes to an exchange, a whole group in flight at once; made by `open_publisher`."""

    def __init__(self, settings: Settings, schema: Schema, envelope: Envelope, *, drop: bool, advice: str) -> None:
        self._settings, self._schema, self._envelope = settings, schema, envelope
        self._drop, self._advice = drop, advice
        self._connection = ExitStack()
        self._channel: ConfirmingChannel | None = None
        self._ready: tuple[Records, list[Message]] | None = None
        self._used_at = 0.0
        self._dropped = 0

    def publish(self, records: Records, identity: bytes = b"", following: Records = ()) -> None:
        """As `Publisher.publish`; on the wire a message is told by its content alone."""
        if not records:
            return
        messages = self._messages(records)
        current_run().check()
        try:
            returned = self._connected().send(messages, self._properties(), lambda: self._make_ready(following))
            if returned and not self._drop:
                raise self._unroutable()
        except BaseException:
            self._disconnect()
            raise
        self._dropped += returned
        self._used_at = time.monotonic()

    def close(self) -> None:
        """Close the connection, if there is one, and tell how many messages were dropped."""
        self._disconnect()
        if self._dropped:
            logger.warning("exchange %r: %d messages reached no queue", self._envelope.exchange, self._dropped)
            self._dropped = 0

    def _messages(self, records: Records) -> "list[Message]":
        """The messages that `records` are; those made ready before, where it is these."""
        ready, self._ready = self._ready, None
        if ready is not None and ready[0] is records:
            return ready[1]
        if self._envelope.encoding == "json":
            return [Message.of(self._schema.encode_lines(records))]
        return [Message.of(self._schema.encode(record)) for record in records]

    def _make_ready(self, records: Records) -> None:
        # What does not fit is refused in its turn, not while another group is in flight.
        with suppress(BadMessage):
            self._ready = (records, self._messages(records)) if records else None

    def _connected(self) -> "ConfirmingChannel":
        """The channel; a new one where none is open, or where it idled so long that it may be dead."""
        if self._channel is None or time.monotonic() - self._used_at > IDLE_SECONDS:
            self._disconnect()
            broker = self._connection.enter_context(connected(self._settings))
            self._channel = ConfirmingChannel(broker, self._envelope.exchange)
        return self._channel

    def _disconnect(self) -> None:
        self._channel = None
        self._connection.close()

    def _properties(self) -> BasicProperties:
        """The properties of all messages of a group, but for the message id."""
        return BasicProperties(
            content_type=CONTENT_TYPES[self._envelope.encoding],
            headers=self._envelope.headers(self._schema),
            delivery_mode=DeliveryMode.Persistent.value,
            correlation_id=str(current_run().id),
            timestamp=int(time.time()),
            type=self._envelope.message_type,
            app_id="janitor",
        )

    def _unroutable(self) -> Rejected:
        where = f"exchange {self._envelope.exchange!r} at {Peer.of(self._settings).address}"
        return Rejected(f"no queue is bound to {where}: {self._advice}")
