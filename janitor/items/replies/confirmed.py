"""Single messages to RabbitMQ: each is persistent, routed and confirmed before the next one goes."""

import time
from contextlib import ExitStack
from typing import Any

from pika import BasicProperties, spec
from pika.channel import Channel
from pika.exceptions import ChannelClosed

from janitor.errors import Rejected, Unavailable
from janitor.rabbitmq.connection import Connection, connected
from janitor.rabbitmq.errors import refused
from janitor.rabbitmq.exchange import DEFAULT, Exchange
from janitor.rabbitmq.exchanges import check_exchange
from janitor.rabbitmq.peer import Peer
from janitor.settings.settings import Settings

IDLE_SECONDS = 10.0
"""How long a connection may idle and be used again: meanwhile no heartbeat is sent, so it may be dead."""
PRECONDITION_FAILED = 406
"""With this code a broker closes the channel over a message that it does not take."""


class Confirmed:
    """Sends to one exchange, on a connection that is made anew if it was lost, or if it idled."""

    def __init__(self, settings: Settings, exchange: Exchange) -> None:
        """Connect, and make sure that the exchange is there.

        Raises:
            BadSetting, Unavailable, Rejected: there is no such connection, or no such exchange.
        """
        self._settings, self._exchange = settings, exchange
        self._opened = ExitStack()
        self._connection: Connection | None = None
        self._channel: Channel | None = None
        self._used_at = 0.0
        self._answers: list[bool] = []
        self._returned = False
        with ExitStack() as if_it_fails:
            if_it_fails.callback(self.close)
            self._open()
            if_it_fails.pop_all()

    def send(self, routing_key: str, body: bytes, properties: BasicProperties) -> None:
        """Send a message, and return once a queue has it.

        Raises:
            Rejected: no queue is there for it, or the broker refuses it for its size: that stays so.
            Unavailable: the broker cannot be reached, or does not take it now.
            DeadlineExceeded, Cancelled: as the run's `check` does.
        """
        with ExitStack() as if_it_fails:
            if_it_fails.callback(self.close)
            confirmed, peer = self._send(routing_key, body, properties)
            if_it_fails.pop_all()
        self._used_at = time.monotonic()
        place = f"exchange {self._exchange.name!r} at {peer.address}"
        if self._returned and self._exchange.name == DEFAULT:
            raise Rejected(f"there is no queue {routing_key!r} at {peer.address}: whoever asked is gone")
        if self._returned:
            raise Rejected(f"no queue is bound to {place} for routing key {routing_key!r}: bind one")
        if not confirmed:
            raise Unavailable(f"{place} did not take it: a queue bound to it is full or broken")

    def _send(self, routing_key: str, body: bytes, properties: BasicProperties) -> tuple[bool, Peer]:
        """Send a message; whether the broker confirmed it, and which broker that is."""
        try:
            connection, channel = self._open()
        except Rejected as exc:
            # A broker that lets nobody in for a while says nothing about this message.
            raise Unavailable(str(exc)) from exc
        self._answers, self._returned = [], False
        name = self._exchange.name
        try:
            connection.tell(channel, lambda: channel.basic_publish(name, routing_key, body, properties, mandatory=True))
            doing = f"confirming a message to exchange {name!r}"
            connection.wait(lambda: bool(self._answers), connection.answer_seconds, doing, channel)
        except ChannelClosed as exc:
            if exc.reply_code == PRECONDITION_FAILED:
                raise Rejected(f"{connection.peer} refuses it: {exc.reply_text}") from exc
            # What is wrong with the exchange is not the message's fault.
            raise Unavailable(str(refused(exc, connection.peer, self._exchange))) from exc
        return self._answers[0], connection.peer

    def _open(self) -> tuple[Connection, Channel]:
        """The open channel; a new one if none is open, or if it idled so long that it may be dead."""
        if self._connection is not None and self._channel is not None and self._channel.is_open:
            if time.monotonic() - self._used_at <= IDLE_SECONDS:
                return self._connection, self._channel
        self.close()
        connection = self._opened.enter_context(connected(self._settings))
        channel = connection.channel()
        check_exchange(connection, channel, self._exchange)
        connection.call(channel, lambda answer: channel.confirm_delivery(self._on_confirm, answer))
        channel.add_on_return_callback(self._on_return)
        self._connection, self._channel, self._used_at = connection, channel, time.monotonic()
        return connection, channel

    def close(self) -> None:
        """Close the connection, if there is one."""
        self._channel = self._connection = None
        self._opened.close()

    def _on_confirm(self, frame: Any) -> None:
        self._answers.append(not isinstance(frame.method, spec.Basic.Nack))

    def _on_return(self, *_: object) -> None:
        # The broker returns a message before it confirms it, and there is one message at a time.
        self._returned = True
