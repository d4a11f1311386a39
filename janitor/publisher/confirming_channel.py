"""A channel on which many messages are in flight at once, and the broker answers for each of them.

send          m1 m2 m3 ... m100 leave in two pieces; in flight = 1, 2, 3, ... 100
the broker    ack 7, multiple      1 to 7 are safe            confirmed = 1, ... 7
              nack 9               9 was refused              refused = 9
              return 12, ack 12    12 reached no queue        returned = 12
take          the caller takes what has settled, and sends more
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain, takewhile
from typing import Any

from pika import BasicProperties, spec
from pika.exceptions import ChannelClosed

from janitor.publisher.message import Message
from janitor.rabbitmq.connection import Connection
from janitor.rabbitmq.errors import refused
from janitor.rabbitmq.exchange import Exchange
from janitor.rabbitmq.exchanges import check_exchange
from janitor.rabbitmq.peer import Peer
from janitor.rabbitmq.pika_private import Framing

PIECE = 50
"""So many messages leave at once: while more of them are made into frames, the broker has work already."""


@dataclass
class Answers:
    """The messages that the broker has answered for, in the order of its answers."""

    confirmed: list[Message] = field(default_factory=list)
    refused: list[Message] = field(default_factory=list)
    returned: list[Message] = field(default_factory=list)

    def __len__(self) -> int:
        """How many messages they are."""
        return len(self.confirmed) + len(self.refused) + len(self.returned)


class ConfirmingChannel:
    """A channel to an exchange that confirms what it is sent."""

    def __init__(self, connection: Connection, exchange: Exchange, *, is_checked: bool = False) -> None:
        """Open the channel; `is_checked` says that the exchange was found to be right on this connection.

        Raises:
            Unavailable, Rejected: the exchange is missing, or is not as it must be, as `check_exchange` finds.
        """
        self._connection, self._exchange = connection, exchange
        self._channel = channel = connection.channel()
        if not is_checked:
            check_exchange(connection, channel, exchange)
        try:
            connection.call(channel, lambda answer: channel.confirm_delivery(self._on_confirm, answer))
        except ChannelClosed as exc:
            raise refused(exc, connection.peer, exchange) from exc
        channel.add_on_return_callback(self._on_return)
        self.in_flight: dict[int, Message] = {}
        self._answers = Answers()
        self._sent = self._returned_until = 0
        self._returned: set[int] = set()
        self._framing: Framing | None = None

    @property
    def peer(self) -> Peer:
        """The broker."""
        return self._connection.peer

    @property
    def place(self) -> str:
        """The exchange and the broker, as error texts name them."""
        return f"exchange {self._exchange.name!r} at {self.peer.address}"

    @property
    def is_open(self) -> bool:
        """Whether neither side has closed the channel."""
        return bool(self._channel.is_open)

    def send(self, messages: Sequence[Message], properties: BasicProperties) -> None:
        """Send messages with properties that all share; they are in flight until the broker has answered for them.

        Raises:
            Unavailable: the connection is lost.
            ChannelClosed: the broker closed the channel.
        """
        first = self._sent + 1
        self._sent += len(messages)
        self.in_flight.update(zip(range(first, self._sent + 1), messages, strict=True))
        if self._framing is None or self._framing.properties is not properties:
            self._framing = Framing(self._channel, self._exchange.name, properties)
        for start in range(0, len(messages), PIECE):
            self._connection.send(self._framing.frames_of(messages[start : start + PIECE]), self._channel)

    def wait(self, enough: int, linger_seconds: float) -> None:
        """Wait until the broker has answered for `enough` messages or all; if it answers for fewer, a little longer.

        Raises:
            Unavailable: no answer came in time, or the connection is lost.
            ChannelClosed: the broker closed the channel.
            DeadlineExceeded, Cancelled: as the run's `check` does.
        """
        doing = f"confirming {len(self.in_flight)} messages to exchange {self._exchange.name!r}"
        self._connection.wait(lambda: bool(self._answers), self._connection.answer_seconds, doing, self._channel)
        self._connection.drive(
            lambda: len(self._answers) >= enough or not self.in_flight, linger_seconds, self._channel
        )

    def wait_for_rest(self, seconds: float) -> None:
        """Wait so long until the broker has answered for all, or reads nothing any more; it is no safe point.

        Raises:
            Unavailable: the connection is lost.
            ChannelClosed: the broker closed the channel.
        """
        connection = self._connection
        connection.drive(
            lambda: not self.in_flight or connection.is_blocked, seconds, self._channel, is_safe_point=False
        )

    def take(self) -> Answers:
        """What the broker has answered since the last call."""
        taken, self._answers = self._answers, Answers()
        return taken

    def _on_confirm(self, confirm: Any) -> None:
        tag, multiple = confirm.method.delivery_tag, confirm.method.multiple
        tags = list(takewhile(lambda one: one <= tag, self.in_flight)) if multiple else [tag]
        settled = self._answers.refused if isinstance(confirm.method, spec.Basic.Nack) else self._answers.confirmed
        for each in tags:
            message = self.in_flight.pop(each)
            (self._answers.returned if each in self._returned else settled).append(message)
        self._returned.difference_update(tags)

    def _on_return(self, _: object, method: Any, properties: Any, __: object) -> None:
        """Note which message came back: the broker gives its id, and answers in the order of sending."""
        id, routing_key = str(properties.message_id).encode(), str(method.routing_key)
        for tag in self._from_last_return():
            message = self.in_flight.get(tag)
            if message is not None and (message.id, message.routing_key) == (id, routing_key):
                if tag not in self._returned:
                    self._returned.add(tag)
                    self._returned_until = tag
                    return

    def _from_last_return(self) -> Iterator[int]:
        return chain(range(self._returned_until + 1, self._sent + 1), list(self.in_flight))
