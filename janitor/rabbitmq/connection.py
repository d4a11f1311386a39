"""One connection to RabbitMQ, driven in the calling thread: bounded, stoppable, every error one clear sentence.

pika works with callbacks on an event loop. A task works in a straight line. `drive` joins the two:

    the caller     asks pika for something, and gives a callback that notes the answer
    drive          turns pika's loop until the caller is content, a tenth of a second at a time
    each turn      is the connection lost? is the channel closed? is the run to stop? is the time over?
                   the first yes ends the wait with an error
    then           the caller goes on; nobody turns the loop until the next `drive`, so no heartbeat is sent
"""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from weakref import WeakKeyDictionary

from pika import SelectConnection
from pika.channel import Channel
from pika.exceptions import NoFreeChannels

from janitor.errors import Rejected, Unavailable
from janitor.rabbitmq.errors import translated
from janitor.rabbitmq.loop import Loop
from janitor.rabbitmq.parameters import parameters_of
from janitor.rabbitmq.peer import Peer
from janitor.rabbitmq.pika_private import put_out, read_any_headers
from janitor.runs import current_run
from janitor.settings.settings import Settings

POLL_SECONDS = 0.1
"""How soon a request to stop is noticed while waiting for the broker."""

CLOSE_SECONDS = 2.0
"""How long the broker may take to answer the closing of a connection; then the connection is cut."""


@contextmanager
def connected(settings: Settings, only: Peer | None = None) -> Iterator["Connection"]:
    """Open a connection to the broker of `settings`; it is closed when the block ends.

    If there are several hosts, they are tried in their order, and the first that answers is taken; `only` is the only
    one that is tried.

    Raises:
        BadSetting: RABBITMQ_HOST is missing or malformed, or RABBITMQ_CA_FILE cannot be read.
        Unavailable, Rejected: no broker can be reached, or the first that answers refuses the user.
    """
    away: list[Unavailable] = []
    for peer in Peer.each_of(settings) if only is None else [only]:
        with ExitStack() as opened:
            connection = Connection(settings, peer)
            opened.callback(connection.close)
            try:
                connection.wait(lambda: connection.is_open, settings.connect_timeout_seconds, "connecting")
            except Unavailable as exc:
                away.append(exc)
                continue
            yield connection
            return
    raise Unavailable("; ".join(str(each) for each in away)) from away[-1]


class Connection:
    """One connection; it works only inside its methods that wait or send, in the thread that calls them."""

    def __init__(self, settings: Settings, peer: Peer) -> None:
        """Begin to connect to a broker.

        Raises:
            BadSetting: RABBITMQ_CA_FILE cannot be read.
        """
        parameters = parameters_of(settings, peer)
        self.peer = peer
        self.answer_seconds = settings.statement_timeout_seconds
        self._alarm = ""
        self._lost: BaseException | None = None
        self._closed_channels = WeakKeyDictionary[Channel, Exception]()
        self._loop = Loop()
        self._pika = SelectConnection(parameters, _nothing, self._on_lost, self._on_lost, custom_ioloop=self._loop)
        read_any_headers(self._pika)
        self._pika.add_on_connection_blocked_callback(self._on_blocked)
        self._pika.add_on_connection_unblocked_callback(self._on_unblocked)

    @property
    def is_open(self) -> bool:
        """Whether the connection was open in the last turn of the loop."""
        return bool(self._pika.is_open)

    @property
    def is_blocked(self) -> bool:
        """Whether the broker has said that it reads nothing more, as it is low on memory or disk."""
        return bool(self._alarm)

    def channel(self) -> Channel:
        """Open a new channel.

        Raises:
            Unavailable: the connection is lost, or the broker does not answer in time.
            Rejected: the broker allows no more channels on a connection.
        """
        opened: list[Channel] = []
        self._refuse_if_lost(None)
        try:
            made = self._pika.channel(on_open_callback=opened.append)
        except NoFreeChannels as exc:
            raise Rejected(f"{self.peer} allows too few channels on a connection: raise its channel_max") from exc
        made.add_on_close_callback(self._on_channel_closed)
        self.wait(lambda: bool(opened), self.answer_seconds, "opening a channel", made)
        return made

    def call(self, channel: Channel, request: Callable[[Callable[[Any], None]], object]) -> Any:
        """Send a request and return the broker's answer; `request` is given the callback for the answer.

        Raises:
            ChannelClosed: the broker says no; `reply_code` and `reply_text` say why.
            Unavailable: no answer came in time, or the connection is lost.
        """
        answers: list[Any] = []
        self._refuse_if_lost(channel)
        request(answers.append)
        self.wait(lambda: bool(answers), self.answer_seconds, "waiting for an answer", channel)
        return answers[0]

    def tell(self, channel: Channel, request: Callable[[], object]) -> None:
        """Send a request that needs no answer.

        The connection may have been lost in the same turn of the loop that brought the last answer: pika would say then
        only that the channel is closed.

        Raises:
            Unavailable: the connection is lost.
            ChannelClosed: the broker closed `channel`.
        """
        self._refuse_if_lost(channel)
        request()

    def wait(self, done: Callable[[], bool], seconds: float, doing: str, channel: Channel | None = None) -> None:
        """Drive the connection until `done()`; `doing` says in an error what was waited for.

        Raises:
            Unavailable, Rejected: the seconds are over, or the connection is lost.
            ChannelClosed: the broker closed `channel`.
            DeadlineExceeded, Cancelled: as the run's `check` does; not once `done()`.
        """
        if not self.drive(done, seconds, channel):
            why = f"; it has blocked its publishers: {self._alarm}" if self._alarm else ""
            raise Unavailable(f"no answer from {self.peer} within {seconds:g} s while {doing}{why}")

    def drive(
        self, done: Callable[[], bool], seconds: float, channel: Channel | None = None, *, is_safe_point: bool = True
    ) -> bool:
        """As `wait`, but return False if the seconds are over and it is not done.

        If it is no safe point, a run that is to end waits too.
        """
        run, end = current_run(), time.monotonic() + seconds
        while not done():
            self._refuse_if_lost(channel)
            if is_safe_point:
                run.check()
            if (left := end - time.monotonic()) <= 0:
                return False
            self.turn(min(POLL_SECONDS, left, run.remaining_seconds if is_safe_point else left))
        return True

    def send(self, frames: bytes, channel: Channel) -> None:
        """Send marshalled frames of `channel` in one piece.

        What the network does not take at once goes out in the next `wait`.

        Raises:
            Unavailable: the connection is lost.
            ChannelClosed: the broker closed `channel`.
        """
        self._refuse_if_lost(channel)
        put_out(self._pika, frames)
        self.turn(0)

    def turn(self, seconds: float) -> None:
        """Let pika do what is due; wait for the network this long at most."""
        self._loop.turn(seconds)

    def close(self) -> None:
        """Close the connection; cut it if the broker does not answer in time."""
        if self._lost is None and not self._pika.is_closing:
            self._pika.close()
        self._turn_until_lost(CLOSE_SECONDS)
        if self._lost is None:
            self._loop.cut()
            self._turn_until_lost(CLOSE_SECONDS)
        self._loop.close()

    def _refuse_if_lost(self, channel: Channel | None) -> None:
        if self._lost is not None:
            raise translated(self._lost, self.peer) from self._lost
        if channel is not None and channel in self._closed_channels:
            raise self._closed_channels[channel]

    def _turn_until_lost(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while self._lost is None and time.monotonic() < end:
            try:
                self.turn(POLL_SECONDS)
            except AssertionError as exc:
                # pika 1.4 trips over its own report if a connection is given up before it is open: it is lost.
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
    """For the callback that says the connection is open: `is_open` is asked instead."""
