"""To RabbitMQ: messages that are routed, persistent and confirmed.

    a group comes in     it is encoded already, if the call before announced it; else it is encoded now
    connection           the open channel; a new one if none is open or it idled over 10 s
    the group leaves     as a whole; meanwhile the next group is encoded
    all confirmed        the call returns; the caller may write the group into its ledger
    anything else        the connection is closed and the error goes up; the group counts as not published

`confirming_channel.py` tells how a group is confirmed. A group that counts as not published is published again by the
caller, as a whole and with the same ids.
"""

import logging
import time
from contextlib import ExitStack, suppress

from pika import BasicProperties, DeliveryMode

from janitor.errors import Rejected
from janitor.publisher.avro import BadMessage, Schema
from janitor.publisher.confirming_channel import ConfirmingChannel
from janitor.publisher.contract import Records
from janitor.publisher.envelope import Envelope
from janitor.publisher.message import Message
from janitor.rabbitmq.connection import connected
from janitor.rabbitmq.peer import Peer
from janitor.runs import current_run
from janitor.settings.settings import Settings

IDLE_SECONDS = 10.0
"""How long a connection may idle and be used again: between groups no heartbeat is sent, so it may be dead."""

CONTENT_TYPES = {"binary": "avro/binary", "json": "application/x-ndjson"}

log = logging.getLogger(__name__)


class RabbitPublisher:
    """Publishes to an exchange; made by `open_publisher`."""

    def __init__(self, settings: Settings, schema: Schema, envelope: Envelope, *, drop: bool, advice: str) -> None:
        """Nothing is connected before the first group.

        A message that reaches no queue is an error whose text ends with `advice`; with `drop` it is only counted.
        """
        self._settings, self._schema, self._envelope = settings, schema, envelope
        self._drop, self._advice = drop, advice
        self._connection = ExitStack()
        self._channel: ConfirmingChannel | None = None
        self._ready: tuple[Records, list[Message]] | None = None
        self._used_at = 0.0
        self._dropped = 0

    def publish(self, records: Records, identity: bytes = b"", upcoming: Records = ()) -> None:
        """As `Publisher.publish`; `identity` is not used, since a message's id is made of its content alone."""
        if not records:
            return
        messages = self._messages(records)
        current_run().check()
        with ExitStack() as if_it_fails:
            if_it_fails.callback(self._disconnect)
            returned = self._open_channel().send(messages, self._properties(), lambda: self._make_ready(upcoming))
            if returned and not self._drop:
                raise self._unroutable()
            if_it_fails.pop_all()
        self._dropped += returned
        self._used_at = time.monotonic()

    def close(self) -> None:
        """Close the connection if there is one, and log how many messages were dropped."""
        self._disconnect()
        if self._dropped:
            log.warning("exchange %r: %d messages reached no queue", self._envelope.exchange, self._dropped)
            self._dropped = 0

    def _messages(self, records: Records) -> list[Message]:
        """The messages of a group; those made ready before, if they are of this group."""
        ready, self._ready = self._ready, None
        if ready is not None and ready[0] is records:
            return ready[1]
        if self._envelope.encoding == "json":
            return [Message.of(self._schema.encode_lines(records))]
        return [Message.of(self._schema.encode(record)) for record in records]

    def _make_ready(self, records: Records) -> None:
        # A record that does not fit is refused when its own group comes, not while this group is in flight.
        with suppress(BadMessage):
            self._ready = (records, self._messages(records)) if records else None

    def _open_channel(self) -> ConfirmingChannel:
        """The open channel; a new one if none is open, or if it idled so long that it may be dead."""
        if self._channel is None or time.monotonic() - self._used_at > IDLE_SECONDS:
            self._disconnect()
            connection = self._connection.enter_context(connected(self._settings))
            self._channel = ConfirmingChannel(connection, self._envelope.exchange)
        return self._channel

    def _disconnect(self) -> None:
        self._channel = None
        self._connection.close()

    def _properties(self) -> BasicProperties:
        """The properties of all messages of a group, without the message id."""
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
