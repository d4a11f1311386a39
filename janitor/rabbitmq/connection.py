"""A connection to RabbitMQ, driven in the calling thread: bounded, stoppable, every error one clear sentence."""

import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from pika import ConnectionParameters, PlainCredentials, SelectConnection, SSLOptions
from pika.adapters.select_connection import IOLoop
from pika.channel import Channel

from janitor.errors import BadSetting, Unavailable
from janitor.rabbitmq.errors import HEARTBEAT_SECONDS, Peer, in_words
from janitor.runs import current_run
from janitor.settings.settings import Settings

POLL_SECONDS = 0.1
"""How soon a request to stop is noticed while waiting for the broker."""

CLOSE_SECONDS = 2.0
"""How long the broker may take to answer a farewell before the connection is cut."""


@contextmanager
def connected(settings: Settings) -> Iterator["Broker"]:
    """A connection to the broker of `settings`, closed when the block ends.

    Raises:
        BadSetting: RABBITMQ_HOST is missing, or RABBITMQ_CA_FILE cannot be read.
        Unavailable, Rejected: the broker cannot be reached, or refuses the user.
    """
    broker = Broker(settings)
    try:
        broker.wait(lambda: broker.is_open, settings.connect_timeout_seconds, "connecting")
        yield broker
    finally:
        broker.close()


class Broker:
    """One connection; it lives only inside `wait` and `call`, in the thread that calls them."""

    def __init__(self, settings: Settings) -> None:
        parameters = _parameters(settings)
        self.peer = Peer.of(settings)
        self.answer_seconds = settings.statement_timeout_seconds
        self._alarm = ""
        self._lost: BaseException | None = None
        self._closed_channels: dict[Channel, Exception] = {}
        self._loop = IOLoop()
        self._loop.activate_poller()
        self._connection = SelectConnection(
            parameters, _nothing, self._on_lost, self._on_lost, custom_ioloop=self._loop
        )
        self._connection.add_on_connection_blocked_callback(self._on_blocked)
        self._connection.add_on_connection_unblocked_callback(self._on_unblocked)

    @property
    def is_open(self) -> bool:
        """Whether the connection was open when it was last looked at."""
        return bool(self._connection.is_open)

    def channel(self) -> Channel:
        """A new channel, open.

        Raises:
            Unavailable: the connection is lost.
        """
        opened: list[Channel] = []
        self._refuse_if_lost(None)
        made = self._connection.channel(on_open_callback=opened.append)
        made.add_on_close_callback(self._on_channel_closed)
        self.wait(lambda: bool(opened), self.answer_seconds, "opening a channel", made)
        return made

    def call(self, channel: Channel, request: Callable[[Callable[[Any], None]], object]) -> Any:
        """Send what `request` sends, given the callback for the broker's answer, and wait for that answer.

        Raises:
            ChannelClosed: the broker says no; `reply_code` and `reply_text` say why.
            Unavailable: no answer came.
        """
        answers: list[Any] = []
        self._refuse_if_lost(channel)
        request(answers.append)
        self.wait(lambda: bool(answers), self.answer_seconds, "waiting for an answer", channel)
        return answers[0]

    def wait(self, done: Callable[[], bool], seconds: float, doing: str, channel: Channel | None = None) -> None:
        """Drive the connection until `done()`, for `seconds` at most; a safe point of the run all the while.

        Raises:
            Unavailable, Rejected: time is over, or the connection is lost.
            ChannelClosed: the broker closed `channel`.
            DeadlineExceeded, Cancelled: as the run's `check` does; not once `done()`.
        """
        if not self.drive(done, seconds, channel):
            why = f"; it has blocked its publishers: {self._alarm}" if self._alarm else ""
            raise Unavailable(f"no answer from {self.peer} within {seconds:g} s while {doing}{why}")

    def drive(self, done: Callable[[], bool], seconds: float, channel: Channel | None = None) -> bool:
        """As `wait`, but return whether it is done when time is over."""
        run, end = current_run(), time.monotonic() + seconds
        while not done():
            self._refuse_if_lost(channel)
            run.check()
            if (left := end - time.monotonic()) <= 0:
                return False
            self._turn(min(POLL_SECONDS, left, run.remaining_seconds))
        return True

    def send(self, frames: bytes, channel: Channel) -> None:
        """Send marshalled frames of `channel` as one piece; pika itself would send one at a time.

        What the network does not take at once goes out in the next `wait`.

        Raises:
            Unavailable: the connection is lost.
            ChannelClosed: the broker closed `channel`.
        """
        self._refuse_if_lost(channel)
        self._connection._output_marshaled_frames([frames])  # type: ignore[attr-defined]
        self._turn(0)

    def close(self) -> None:
        """Say farewell and close; cut the connection where the broker does not answer."""
        if self._lost is None and not self._connection.is_closing:
            self._connection.close()
        self._turn_until_lost(CLOSE_SECONDS)
        if self._lost is None:
            self._connection._adapter_disconnect_stream()  # type: ignore[attr-defined]
            self._turn_until_lost(CLOSE_SECONDS)
        self._loop.deactivate_poller()
        self._loop.close()

    def _refuse_if_lost(self, channel: Channel | None) -> None:
        if self._lost is not None:
            raise in_words(self._lost, self.peer) from self._lost
        if channel in self._closed_channels:
            raise self._closed_channels[channel]

    def _turn(self, seconds: float) -> None:
        """Let pika do what is due; wait for the network `seconds` at most."""
        timer = self._loop.call_later(seconds, _nothing)
        self._loop.poll()
        self._loop.process_timeouts()
        self._loop.remove_timeout(timer)

    def _turn_until_lost(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while self._lost is None and time.monotonic() < end:
            try:
                self._turn(POLL_SECONDS)
            except AssertionError as exc:
                # pika 1.4 trips over its own report of a connection that was given up before it was open: it is gone
                self._lost = exc

    def _on_lost(self, _: object, reason: BaseException) -> None:
        self._lost = reason

    def _on_channel_closed(self, channel: Channel, reason: Exception) -> None:
        self._closed_channels[channel] = reason

    def _on_blocked(self, _: object, frame: Any) -> None:
        self._alarm = str(frame.method.reason)

    def _on_unblocked(self, _: object, __: object) -> None:
        self._alarm = ""


def _nothing(*_: object) -> None:
    """For pika's callbacks that nobody waits for."""


def _parameters(settings: Settings) -> ConnectionParameters:
    if settings.rabbitmq_host is None:
        raise BadSetting("RABBITMQ_HOST", None, "give the broker's host name, or a folder as MESSAGES_DIR")
    seconds = settings.connect_timeout_seconds
    return ConnectionParameters(
        host=settings.rabbitmq_host,
        port=settings.rabbitmq_port,
        virtual_host=settings.rabbitmq_vhost,
        credentials=PlainCredentials(settings.rabbitmq_username, settings.rabbitmq_password.get_secret_value()),
        ssl_options=_tls(settings) if settings.rabbitmq_tls else None,
        heartbeat=HEARTBEAT_SECONDS,
        socket_timeout=seconds,
        stack_timeout=seconds,
        connection_attempts=1,
        client_properties={"connection_name": "janitor"},
    )


def _tls(settings: Settings) -> SSLOptions:
    path = settings.rabbitmq_ca_file
    try:
        context = ssl.create_default_context(cafile=path)
    except (OSError, ValueError) as exc:
        expected = f"give a PEM file of CA certificates that can be read ({exc.__class__.__name__})"
        raise BadSetting("RABBITMQ_CA_FILE", path, expected) from exc
    return SSLOptions(context, settings.rabbitmq_host)
