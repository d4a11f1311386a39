"""A sliding window: at most so many records are under way, and as many as may be.

    window = 6       [ 1 2 3 4 5 6 ]                  sent, in flight
    1 2 3 confirmed  [ 1 2 3 4 5 6 ]                  the caller gets 1 2 3, and remembers them
    it asks again          [ 4 5 6 7 8 9 ]            only now there is room for 7 8 9
    8 refused              [ 4 5 6 7 8 9 ]            the caller is told of 8 alone, all others go on

A message larger than any that the broker has taken so far goes alone: nothing is in flight beside it. If the broker
closes the channel over it, that message was meant, and no other is in doubt. If the channel closes while several are in
flight, nobody knows which was meant: each of them goes again, alone, and from then on no size counts as taken before a
message of it was. So it happens once, whatever the broker takes. A message of several records goes again in halves.

If the broker refuses a whole window in a row, it would refuse the rest too: nothing more is sent. If the run is to end,
nothing more is sent either, and what is in flight is heard out for a second.
"""

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress

from pika import BasicProperties
from pika.exceptions import ChannelClosed

from janitor.errors import Cancelled, DeadlineExceeded, Fenced, JanitorError, Rejected, Unavailable
from janitor.publisher.confirming_channel import ConfirmingChannel
from janitor.publisher.contract import Refused, Settled
from janitor.publisher.message import Message
from janitor.rabbitmq.errors import refused
from janitor.rabbitmq.exchange import Exchange

SMALL_BYTES = 4_096
"""Nearly any broker takes messages up to this size. Of one that does not, a window is in doubt once."""

SHARE = 8
"""The caller gets what has settled as soon as it is this part of the window."""

LINGER_SECONDS, LAST_LINGER_SECONDS = 0.005, 0.05
"""How long a few answers wait for more of them; the last ones wait longer, as there is nothing more to send."""

END_SECONDS = 1.0
"""How long a run that is to end waits for the answers to what is in flight."""

FEW = 20
"""So few refusals in a row say nothing of the messages after them, however small the window is."""

PRECONDITION_FAILED = 406
"""With this code a broker closes the channel over a message that it does not take."""


class SlidingWindow:
    """Sends messages over a channel, each made when it is asked for."""

    def __init__(
        self,
        open_channel: Callable[[], ConfirmingChannel],
        properties: Callable[[], BasicProperties],
        messages: Iterator[Message | Refused],
        halves: Callable[[Message], list[Message]],
        exchange: Exchange,
        *,
        window: int,
        advice: str,
        drop: bool,
    ) -> None:
        """Nothing is sent yet. `open_channel` gives the open channel, or a new one.

        `halves` gives the records of a message as two messages, none if it has a single record. With `drop`, a message
        that reaches no queue counts as published, and in `dropped`. Without it, that is an error whose text ends with
        `advice` if the exchange is fanout: it would be so for every message. With another type of exchange, that
        message alone is refused.
        """
        self._open_channel, self._properties, self._halves, self._exchange = open_channel, properties, halves, exchange
        self._window, self._advice, self._drop = window, advice, drop
        self.dropped = 0
        self._to_come, self._next, self._is_over = messages, deque[Message](), False
        self._channel: ConfirmingChannel | None = None
        self._under_way = 0
        self._largest, self._suspects, self._is_alone = SMALL_BYTES, set[bytes](), False
        self._published, self._refused, self._refused_in_a_row = list[int](), list[Refused](), 0
        self._reason = ""
        self._end: JanitorError | None = None

    def settle(self) -> Iterator[Settled]:
        """Send all, and yield what came of it; see `Publisher.publish_each`."""
        more = True
        while more:
            try:
                more = self._go_on()
            except JanitorError as exc:
                self._end, more = exc, False
                if isinstance(exc, (Cancelled, DeadlineExceeded)) and not isinstance(exc, Fenced):
                    self._hear_the_rest()
            if self._channel is not None:
                self._note(self._channel)
            if self._published or self._refused:
                settled = Settled(self._published, self._refused)
                self._published, self._refused = [], []
                yield settled
        if self._end is not None:
            raise self._end

    def _go_on(self) -> bool:
        """Fill the window and wait for some answers; return whether there is more to do."""
        try:
            if batch := list(self._that_fit()):
                self._channel = self._channel or self._open_channel()
                self._under_way += sum(len(message.places) for message in batch)
                self._channel.send(batch, self._properties())
            if self._channel is not None and self._channel.in_flight:
                # While the broker works: as soon as it answers, the next ones can go.
                self._make(self._window)
                self._wait(self._channel)
                return True
        except ChannelClosed as exc:
            self._sort_out(exc)
            return True
        return self._end is None and not (self._is_over and not self._next)

    def _hear_the_rest(self) -> None:
        """Wait a moment for what is in flight, though the run is to end: the next run would publish it again."""
        with suppress(JanitorError, ChannelClosed):
            if self._channel is not None:
                self._channel.wait_for_rest(END_SECONDS)

    def _wait(self, channel: ConfirmingChannel) -> None:
        if self._is_over and not self._next:
            channel.wait(len(channel.in_flight), LAST_LINGER_SECONDS)
        else:
            channel.wait(max(1, self._window // SHARE), LINGER_SECONDS)

    def _that_fit(self) -> Iterator[Message]:
        """The next messages for which there is room."""
        is_free = self._channel is None or not self._channel.in_flight
        room = self._window - self._under_way
        while self._end is None and (message := self._peek()) is not None:
            if self._refused_in_a_row >= max(self._window, FEW):
                self._end = self._nothing_is_taken()
                return
            goes_alone = len(message.body) > self._largest or message.id in self._suspects
            if not is_free and (goes_alone or self._is_alone or len(message.places) > room):
                return
            yield self._next.popleft()
            self._is_alone, is_free = goes_alone, False
            room -= len(message.places)

    def _peek(self) -> Message | None:
        if not self._next:
            self._make(1)
        return self._next[0] if self._next else None

    def _make(self, enough: int) -> None:
        """Have so many messages made, or all that are to come."""
        while len(self._next) < enough and not self._is_over and len(self._refused) < self._window:
            made = next(self._to_come, None)
            if isinstance(made, Message):
                self._next.append(made)
            elif made is None:
                self._is_over = True
            else:
                self._refused.append(made)

    def _note(self, channel: ConfirmingChannel) -> None:
        """Sort what the broker has answered into what is published and what is refused."""
        answers = channel.take()
        for message in answers.confirmed:
            self._publish(message)
            self._largest = max(self._largest, len(message.body))
        for message in answers.refused:
            self._refuse(message, f"{channel.place} did not take it: a queue bound to it is full or broken")
        for message in answers.returned:
            if self._drop:
                self.dropped += 1
                self._publish(message)
            elif self._exchange.type == "fanout":
                self._under_way -= len(message.places)
                self._end = self._end or Rejected(f"no queue is bound to {channel.place}: {self._advice}")
            else:
                what = f"routing key {message.routing_key!r}" if message.routing_key else "its headers"
                self._refuse(message, f"no queue is bound to {channel.place} for {what}")

    def _publish(self, message: Message) -> None:
        self._under_way -= len(message.places)
        self._refused_in_a_row = 0
        self._published += message.places

    def _refuse(self, message: Message, reason: str, *, for_itself: bool = False) -> None:
        self._under_way -= len(message.places)
        self._refused_in_a_row += len(message.places)
        self._refused += (Refused(at, reason, for_itself) for at in message.places)
        self._reason = reason

    def _nothing_is_taken(self) -> Unavailable:
        count = self._refused_in_a_row
        return Unavailable(f"{count} messages in a row were refused, so no more were sent: {self._reason}")

    def _sort_out(self, closed: ChannelClosed) -> None:
        """The broker closed the channel: find the message that it meant, and let the others go again."""
        channel, self._channel = self._channel, None
        if channel is None:
            raise closed
        self._note(channel)
        doubtful = list(channel.in_flight.values())
        if not doubtful or closed.reply_code != PRECONDITION_FAILED:
            raise refused(closed, channel.peer, self._exchange) from closed
        if len(doubtful) > 1:
            self._suspects.update(message.id for message in doubtful)
            self._largest = 0
            self._send_again(doubtful, doubtful)
        elif halves := self._halves(doubtful[0]):
            self._send_again(doubtful, halves)
        else:
            self._refuse(doubtful[0], f"{channel.peer} refuses it: {closed.reply_text}", for_itself=True)

    def _send_again(self, sent: list[Message], now: list[Message]) -> None:
        self._under_way -= sum(len(message.places) for message in sent)
        self._next.extendleft(reversed(now))
