"""To RabbitMQ: messages that are routed, persistent and confirmed.

    records come in      each is encoded when there is room for it, while others are in flight
    connection           the open channel; a new one if none is open or it idled over 10 s
    the window           at most so many messages are sent and not yet remembered by the caller
    the broker says yes  the caller gets the places of what is safe, and may write them into its ledger
    it says no to one    the caller gets its place and the broker's words; the others go on
    anything else        the connection is closed and the error goes up

`sliding_window.py` tells how. What is not yielded as published counts as not published. The caller publishes it again
later, with the same ids. Consumers that have seen an id just before can pass its message over.
"""

import logging
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import ExitStack

from pika import BasicProperties, DeliveryMode

from janitor.errors import Rejected, Unavailable
from janitor.publisher.avro import BadMessage, Schema
from janitor.publisher.confirming_channel import ConfirmingChannel
from janitor.publisher.contract import WINDOW, Record, Refused, Settled
from janitor.publisher.envelope import Envelope
from janitor.publisher.making import Messages
from janitor.publisher.message import Message
from janitor.publisher.sliding_window import SlidingWindow
from janitor.rabbitmq.connection import Connection, connected
from janitor.rabbitmq.exchange import Exchange
from janitor.runs import current_run
from janitor.settings.settings import Settings

IDLE_SECONDS = 10.0
"""How long a connection may idle and be used again: meanwhile no heartbeat is sent, so it may be dead."""

CONTENT_TYPES = {"binary": "avro/binary", "json": "application/x-ndjson"}

log = logging.getLogger(__name__)


class RabbitPublisher:
    """Publishes to an exchange; made by `open_publisher`."""

    def __init__(self, settings: Settings, schema: Schema, envelope: Envelope, *, drop: bool, advice: str) -> None:
        """Nothing is connected before the first record.

        A message that reaches no queue is an error whose text ends with `advice`; with `drop` it is only counted.
        """
        self._settings, self._schema, self._envelope = settings, schema, envelope
        self._exchange = Exchange(envelope.exchange, envelope.exchange_type)
        self._drop, self._advice = drop, advice
        self._opened = ExitStack()
        self._connection: Connection | None = None
        self._channel: ConfirmingChannel | None = None
        self._shared: BasicProperties | None = None
        self._used_at = 0.0
        self._dropped = 0

    def publish_each(
        self, records: Iterable[Record], *, window: int = WINDOW, identities: Sequence[bytes] = ()
    ) -> Generator[Settled, None, None]:
        """As `Publisher.publish_each`; `identities` are not used, as a message's id is made of its content alone."""
        maker = Messages(self._schema, self._envelope, records, window)
        return self._settle(maker.messages(), maker.halves, window)

    def publish(self, records: Sequence[Record], identity: bytes = b"") -> None:
        """As `Publisher.publish`; `identity` is not used, as a message's id is made of its content alone."""
        if not records:
            return
        maker = Messages(self._schema, self._envelope, records, len(records))
        made = list(maker.messages())
        if misfit := next((each for each in made if isinstance(each, Refused)), None):
            raise BadMessage(misfit.reason)
        each_settled = self._settle(iter(made), maker.halves, len(records))
        refused = [each for settled in each_settled for each in settled.refused]
        if refused:
            kind = Rejected if any(each.for_itself for each in refused) else Unavailable
            raise kind(f"{len(refused)} of {len(records)} records were refused: {refused[0].reason}")

    def close(self) -> None:
        """Close the connection if there is one, and log how many messages were dropped."""
        self._disconnect()
        if self._dropped:
            log.warning("exchange %r: %d messages reached no queue", self._envelope.exchange, self._dropped)
            self._dropped = 0

    def _settle(
        self, messages: Iterator[Message | Refused], halves: Callable[[Message], list[Message]], window: int
    ) -> Generator[Settled, None, None]:
        current_run().check()
        sliding = SlidingWindow(
            self._open_channel,
            self._properties,
            messages,
            halves,
            self._exchange,
            window=window,
            advice=self._advice,
            drop=self._drop,
        )
        with ExitStack() as if_it_fails:
            if_it_fails.callback(self._disconnect)
            yield from sliding.settle()
            if_it_fails.pop_all()
        self._dropped += sliding.dropped
        self._used_at = time.monotonic()

    def _open_channel(self) -> ConfirmingChannel:
        """The open channel; a new one if none is open, or if it idled so long that it may be dead."""
        if self._channel is not None and self._channel.is_open:
            if time.monotonic() - self._used_at <= IDLE_SECONDS:
                return self._channel
            self._disconnect()
        if self._connection is None:
            self._connection = self._opened.enter_context(connected(self._settings))
        self._channel = ConfirmingChannel(self._connection, self._exchange, is_checked=self._channel is not None)
        return self._channel

    def _disconnect(self) -> None:
        self._channel = self._connection = None
        self._opened.close()

    def _properties(self) -> BasicProperties:
        """The properties that all messages of this second share; the message id comes with each message."""
        now = int(time.time())
        if self._shared is None or self._shared.timestamp != now:
            self._shared = BasicProperties(
                content_type=CONTENT_TYPES[self._envelope.encoding],
                headers=self._envelope.headers(self._schema),
                delivery_mode=DeliveryMode.Persistent.value,
                correlation_id=str(current_run().id),
                timestamp=now,
                type=self._envelope.message_type,
                app_id="janitor",
            )
        return self._shared
