"""A queue that exists already, read in batches: what was read stays the queue's own until it is settled.

read        the broker sends ahead, up to `prefetch`; a batch is what has come by then, after a short while
settle      all of a batch in one go: an acknowledgement of the last message counts for all before it
lose        what is not settled when the connection ends is given to the next reader, by the broker itself
"""

from collections import deque
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any, NamedTuple

from pika.exceptions import ChannelClosed

from janitor.errors import JanitorError, Rejected, Unavailable
from janitor.rabbitmq.connection import Connection, connected
from janitor.rabbitmq.peer import Peer
from janitor.settings.settings import Settings

MOST_PREFETCH = 65_535
NO_PRIORITY = {"x-priority": "none"}
"""No broker takes this of a reader. It looks first whether the user may read the queue at all."""


class Taken(NamedTuple):
    """A message as it came: the broker's number for it, whether it came before, and all that it says of itself."""

    tag: int
    redelivered: bool
    exchange: str
    routing_key: str
    properties: Any
    body: bytes


class ExistingQueue:
    """A reader of a queue that others have declared; it changes nothing about the queue."""

    def __init__(self, connection: Connection, name: str, prefetch: int) -> None:
        """Begin to read.

        Raises:
            ChannelClosed: there is no such queue, or the user may not read it.
            Unavailable: the broker does not answer in time.
        """
        self.name = name
        self._connection = connection
        self._channel = channel = connection.channel()
        self._waiting: deque[Taken] = deque()
        self._is_ended = False
        channel.add_on_cancel_callback(self._on_end)
        connection.call(channel, lambda on: channel.basic_qos(prefetch_count=prefetch, callback=on))
        connection.call(channel, lambda on: channel.basic_consume(name, self._on_message, callback=on))

    def next(self, most: int, gather_seconds: float, idle_seconds: float) -> list[Taken]:
        """Wait up to `idle_seconds` for a message, then up to `gather_seconds` for `most`; none if no message came.

        Raises:
            Unavailable: the connection is lost, or the queue was deleted.
            ChannelClosed, DeadlineExceeded, Cancelled: as `Connection.drive` does; nothing is lost.
        """
        self._connection.drive(lambda: self._has(1), idle_seconds, self._channel)
        if self._waiting:
            self._connection.drive(lambda: self._has(most), gather_seconds, self._channel)
        if self._is_ended:
            raise Unavailable(f"the queue {self.name!r} at {self._connection.peer.address} was deleted, or has moved")
        return [self._waiting.popleft() for _ in range(min(most, len(self._waiting)))]

    def settle(self, taken: Sequence[Taken], rejected: Collection[int] = ()) -> None:
        """Let the broker forget a batch of `next`, whole and in its order; it sends as many others for it.

        Those whose tags are `rejected` go to the dead-letter exchange of the queue, if it has one.

        Raises:
            Unavailable, ChannelClosed: as `Connection.tell` does; the broker gives the batch to the next reader.
        """
        for tag in sorted(rejected):
            self._connection.tell(self._channel, partial(self._channel.basic_reject, tag, requeue=False))
        left = [one.tag for one in taken if one.tag not in rejected]
        if left:
            self._connection.tell(self._channel, lambda: self._channel.basic_ack(left[-1], multiple=True))
        self._connection.turn(0)

    def _has(self, number: int) -> bool:
        return len(self._waiting) >= number or self._is_ended

    def _on_message(self, _: object, method: Any, properties: Any, body: bytes) -> None:
        self._waiting.append(
            Taken(method.delivery_tag, method.redelivered, method.exchange, method.routing_key, properties, body)
        )

    def _on_end(self, _: object) -> None:
        self._is_ended = True


@contextmanager
def reading_queue(settings: Settings, name: str, prefetch: int) -> Iterator[ExistingQueue]:
    """Read a queue at the broker of the settings, on a connection of its own, which is closed when the block ends.

    Raises:
        BadSetting, Unavailable, Rejected: there is no such connection, or no such queue.
    """
    with connected(settings) as connection:
        try:
            yield ExistingQueue(connection, name, prefetch)
        except ChannelClosed as exc:
            raise refused(exc, connection.peer, name) from exc


def inspect_queue(settings: Settings, name: str, peer: Peer | None = None) -> tuple[int, int]:
    """Make sure that a queue is there and may be read; how many messages wait in it, and how many readers it has.

    No message is taken. Without a `peer` it is looked for at the first broker that answers.

    Raises:
        BadSetting, Unavailable, Rejected: there is no such connection, no such queue, or the user may not read it.
    """
    with connected(settings, peer) as connection:
        try:
            channel = connection.channel()
            found = connection.call(channel, lambda on: channel.queue_declare(name, passive=True, callback=on)).method
            _ask_for_leave(connection, name)
        except ChannelClosed as exc:
            raise refused(exc, connection.peer, name) from exc
        return found.message_count, found.consumer_count


def _ask_for_leave(connection: Connection, name: str) -> None:
    """Make sure that the user may read a queue, by a request that a broker refuses in any case."""
    channel = connection.channel()
    try:
        connection.call(
            channel, lambda on: channel.basic_consume(name, _nothing, arguments=dict(NO_PRIORITY), callback=on)
        )
    except ChannelClosed as exc:
        if exc.reply_code == 403:
            raise


def refused(error: ChannelClosed, peer: Peer, queue: str) -> JanitorError:
    """Our error for a channel that the broker closed; `queue` was read on it."""
    subject = f"queue {queue!r} at {peer.address}"
    match error.reply_code:
        case 404:
            return Rejected(f"the {subject} does not exist: declare it, or correct its name or RABBITMQ_VHOST")
        case 403 if "exclusive" in error.reply_text:
            return Unavailable(f"the {subject} has a reader that lets in no other ({error.reply_text})")
        case 403:
            return Rejected(f"the user {peer.user!r} may not read the {subject}: grant it that ({error.reply_text})")
        case 405:
            return Rejected(f"the {subject} belongs to another connection alone ({error.reply_text})")
    return Unavailable(f"the channel to the {subject} was closed ({error.reply_text})")


def _nothing(*_: object) -> None:
    """For messages that never come."""
