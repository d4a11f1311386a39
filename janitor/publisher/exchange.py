"""Messages out: to RabbitMQ, routed, persistent and confirmed; or to files, embedded."""

import logging
import secrets
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, Protocol, Self

from pika import BasicProperties, DeliveryMode, frame, spec
from pika.channel import Channel
from pika.exceptions import ChannelClosed

from janitor.errors import Rejected, Unavailable
from janitor.publisher.avro import DIGEST_BYTES, BadMessage, Schema, digest
from janitor.publisher.folder import MessageFiles
from janitor.rabbitmq.connection import Broker, check_exchange, connected
from janitor.rabbitmq.errors import Peer, refused
from janitor.runs import current_run
from janitor.settings.settings import Settings

IDLE_SECONDS = 10.0
"""After how long without a group a new connection is made, as no heartbeat is sent between groups."""

FRAME_OVERHEAD = 8
FRAME_END = bytes([spec.FRAME_END])
HEADER_SIZED = 19
"""Where a content header's frame holds the body's size, up to here: after its head (7 bytes), class and weight (4)."""

CONTENT_TYPES = {"binary": "avro/binary", "json": "application/x-ndjson"}

Records = Sequence[Mapping[str, object]]

logger = logging.getLogger(__name__)


class Publisher(Protocol):
    """Where groups of records are published."""

    def publish(self, records: Records, identity: bytes = b"", following: Records = ()) -> None:
        """Publish one group; return when all of it is safe, raise when any of it may not be.

        Publishing a group again is harmless: each message has the same id as before. `identity` tells the group from
        another one of equal content; a group that is published again has the one it had. `following` are the records
        that the next call is going to bring: they may be encoded meanwhile, and are not sent.

        Raises:
            BadMessage: a record does not fit the schema; none was published.
            Unavailable, Rejected: the group counts as not published.
            DeadlineExceeded, Cancelled: as the run's `check` does; the group counts as not published.
        """


@dataclass(frozen=True)
class Envelope:
    """What all messages of a publisher have in common."""

    exchange: str
    subject: str
    message_type: str
    encoding: Literal["binary", "json"]

    def headers(self, schema: Schema) -> dict[str, str]:
        """The headers that consumers read; `fingerprint` is that of the schema, as hex in the order of its bytes."""
        return {
            "subject": self.subject,
            "version": "1",
            "encoder_type": self.encoding,
            "fingerprint": schema.fingerprint.hex(),
        }


@contextmanager
def open_publisher(
    settings: Settings,
    schema: Schema,
    *,
    exchange: str,
    subject: str,
    message_type: str,
    encoding: Literal["binary", "json"],
    unroutable: Literal["fail", "drop"],
) -> Iterator[Publisher]:
    """A publisher into the folder MESSAGES_DIR where that is set, else to `exchange`; closed when the block ends.

    It connects for the first group, so that a tick without news makes no connection.
    """
    envelope = Envelope(exchange, subject, message_type, encoding)
    if settings.messages_dir is not None:
        yield MessageFiles(settings.messages_dir, schema, message_type, envelope.headers(schema))
        return
    publisher = RabbitPublisher(settings, schema, envelope, drop=unroutable == "drop")
    try:
        yield publisher
    finally:
        publisher.close()


class Message(NamedTuple):
    """A message to be: its id, as hex, and its body."""

    id: bytes
    body: bytes

    @classmethod
    def of(cls, body: bytes) -> Self:
        """The message with this body; the same body always has the same id."""
        return cls(digest(body).hex().encode(), body)


class RabbitPublisher:
    """Publishes to an exchange, a whole group in flight at once; made by `open_publisher`."""

    def __init__(self, settings: Settings, schema: Schema, envelope: Envelope, *, drop: bool) -> None:
        self._settings, self._schema, self._envelope, self._drop = settings, schema, envelope, drop
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
        return Rejected(f"no queue is bound to {where}: bind one, or set SEQUENCING_PUBLISHER_UNROUTABLE=drop")


class ConfirmingChannel:
    """A channel on which each group is confirmed, all of it, before the next is sent.

    Raises:
        Unavailable, Rejected: the exchange is missing or is not durable and fanout, as `check_exchange` finds.
    """

    def __init__(self, broker: Broker, exchange: str) -> None:
        self._broker, self._exchange = broker, exchange
        self._channel = channel = broker.channel()
        check_exchange(broker, channel, exchange)
        broker.call(channel, lambda answer: channel.confirm_delivery(self._on_confirm, answer))
        channel.add_on_return_callback(self._on_return)
        self._sent = 0
        self._unconfirmed: set[int] = set()
        self._nacked = 0
        self._returned = 0

    def send(self, messages: Sequence[Message], properties: BasicProperties, meanwhile: Callable[[], None]) -> int:
        """Send the messages, wait until each is confirmed, and return how many reached no queue.

        `meanwhile` is called once they have left, while the broker has work.

        Raises:
            Unavailable: a message was refused, or not all were confirmed in time.
            Rejected: the exchange is gone, or the user may not write to it.
        """
        last = self._sent + len(messages)
        self._unconfirmed = set(range(self._sent + 1, last + 1))
        self._sent, self._nacked, self._returned = last, 0, 0
        try:
            self._broker.send(_frames(self._channel, self._exchange, messages, properties), self._channel)
            meanwhile()
            doing = f"confirming {len(messages)} messages to exchange {self._exchange!r}"
            self._broker.wait(lambda: not self._unconfirmed, self._broker.answer_seconds, doing, self._channel)
        except ChannelClosed as exc:
            raise refused(exc, self._broker.peer, self._exchange) from exc
        if self._nacked:
            refusal = f"{self._broker.peer} refused {self._nacked} of {len(messages)} messages to exchange"
            raise Unavailable(f"{refusal} {self._exchange!r}: a queue bound to it is full or broken")
        return self._returned

    def _on_confirm(self, confirm: Any) -> None:
        tag, multiple = confirm.method.delivery_tag, confirm.method.multiple
        settled = {each for each in self._unconfirmed if each <= tag} if multiple else {tag}
        self._unconfirmed -= settled
        if isinstance(confirm.method, spec.Basic.Nack):
            self._nacked += len(settled)

    def _on_return(self, *_: object) -> None:
        self._returned += 1


def _frames(channel: Channel, exchange: str, messages: Sequence[Message], properties: BasicProperties) -> bytes:
    """What `channel.basic_publish` sends for each of the messages, mandatory, in one piece.

    Marshalling each message anew takes pika many times as long: messages of a group differ by body and id alone.
    """
    number = channel.channel_number
    properties.message_id = secrets.token_hex(DIGEST_BYTES)
    method = frame.Method(number, spec.Basic.Publish(exchange=exchange, routing_key="", mandatory=True)).marshal()
    header = frame.Header(number, 0, properties).marshal()
    before_id, after_id = header[HEADER_SIZED:].split(properties.message_id.encode())
    before_size, body_head = method + header[: HEADER_SIZED - 8], frame.Body(number, b"").marshal()[:3]
    most = channel.connection.params.frame_max - FRAME_OVERHEAD
    parts: list[bytes] = []
    for id, body in messages:
        size = len(body)
        parts += before_size, size.to_bytes(8), before_id, id, after_id
        for start in range(0, size, most):
            part = body[start : start + most]
            parts += body_head, len(part).to_bytes(4), part, FRAME_END
    return b"".join(parts)
