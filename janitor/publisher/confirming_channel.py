"""A channel on which a whole group is in flight at once, and each of its messages is confirmed.

    send          m1 m2 m3 ... m100 leave in one piece; unconfirmed = {1, 2, 3, ... 100}
    meanwhile     the caller encodes the next group while the broker works
    the broker    ack 7, multiple      1 to 7 are safe          unconfirmed = {8, ... 100}
                  nack 9               9 was refused            unconfirmed = {8, 10, ... 100}
                  return 12, ack 12    12 reached no queue      counted, and told to the caller
    unconfirmed is empty: the group is safe, unless a message was refused

If a message was refused, or the time is over, the group counts as not published. The caller publishes the whole group
again later, with the same ids. Consumers that have seen an id before can pass its message over.
"""

from collections.abc import Callable, Sequence
from typing import Any

from pika import BasicProperties, spec
from pika.exceptions import ChannelClosed

from janitor.errors import Unavailable
from janitor.publisher.message import Message
from janitor.rabbitmq.connection import Connection
from janitor.rabbitmq.errors import refused
from janitor.rabbitmq.exchanges import check_exchange
from janitor.rabbitmq.pika_private import frames_of


class ConfirmingChannel:
    """A channel to an exchange; each group is confirmed before the next is sent."""

    def __init__(self, connection: Connection, exchange: str) -> None:
        """Open the channel.

        Raises:
            Unavailable, Rejected: the exchange is missing, or is not durable and fanout, as `check_exchange` finds.
        """
        self._connection, self._exchange = connection, exchange
        self._channel = channel = connection.channel()
        check_exchange(connection, channel, exchange)
        connection.call(channel, lambda answer: channel.confirm_delivery(self._on_confirm, answer))
        channel.add_on_return_callback(self._on_return)
        self._sent = 0
        self._unconfirmed: set[int] = set()
        self._refused = 0
        self._returned = 0

    def send(self, messages: Sequence[Message], properties: BasicProperties, meanwhile: Callable[[], None]) -> int:
        """Send a group, wait until each message is confirmed, and return how many of them reached no queue.

        `meanwhile` is called after the messages have left and before the wait.

        Raises:
            Unavailable: a message was refused, or not all were confirmed in time.
            Rejected: the exchange is gone, or the user may not write to it.
        """
        last = self._sent + len(messages)
        self._unconfirmed = set(range(self._sent + 1, last + 1))
        self._sent, self._refused, self._returned = last, 0, 0
        try:
            self._connection.send(frames_of(self._channel, self._exchange, messages, properties), self._channel)
            meanwhile()
            doing = f"confirming {len(messages)} messages to exchange {self._exchange!r}"
            self._connection.wait(lambda: not self._unconfirmed, self._connection.answer_seconds, doing, self._channel)
        except ChannelClosed as exc:
            raise refused(exc, self._connection.peer, self._exchange) from exc
        if self._refused:
            refusal = f"{self._connection.peer} refused {self._refused} of {len(messages)} messages to exchange"
            raise Unavailable(f"{refusal} {self._exchange!r}: a queue bound to it is full or broken")
        return self._returned

    def _on_confirm(self, confirm: Any) -> None:
        tag, multiple = confirm.method.delivery_tag, confirm.method.multiple
        settled = {each for each in self._unconfirmed if each <= tag} if multiple else {tag}
        self._unconfirmed -= settled
        if isinstance(confirm.method, spec.Basic.Nack):
            self._refused += len(settled)

    def _on_return(self, *_: object) -> None:
        self._returned += 1
