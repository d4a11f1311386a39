"""The posts: each channel has a thread that tells its deliveries. A channel that hangs delays no other and no run.

    read the deliveries that wait for this channel, the oldest first
    none waits         -> sleep until woken, or for a minute
    the first not due  -> sleep until it is due
    due                -> send: all due ones as one digest if the channel takes digests, else the first
        taken          -> close them as delivered
        not now        -> put the first off, twice as long each time; the others wait behind it
        never          -> give it up; a digest is split first: its notices are then sent alone
    older than a day and still not taken -> give it up

A delivery is told at least once. It is told twice only if the process dies after sending and before recording.

A notice that a channel stumbles over is told in brief: nothing in it is a task's then. A delivery that cannot be read
is given up. So neither holds up what waits behind it.
"""

import collections
import logging
import math
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from itertools import takewhile
from typing import Any, NoReturn

from sqlalchemy import Connection

from janitor.engine.runner import Runner
from janitor.errors import Fenced, JanitorError, summary
from janitor.guard import foreign_code
from janitor.notices.channel import Channel, Undelivered
from janitor.notices.content import Content, digest, from_json
from janitor.state import deliveries

log = logging.getLogger(__name__)

FIRST_PAUSE_SECONDS = 10.0
LONGEST_PAUSE_SECONDS = 600.0
SLACK_SECONDS = 1.0
"""A clock is moved a little all the time."""
GIVEN_UP_AFTER = timedelta(days=1)
IDLE_SECONDS = 60.0
"""How often a channel looks for deliveries without being woken."""
MOST_DIRECT = 100
"""How many notices wait in memory at most."""
UNREADABLE = "it cannot be read from the state database"
MOST_TOGETHER = 20
"""How many notices one digest holds at most: Slack takes 50 blocks."""
AWAY_SECONDS = 5.0
"""How long a channel waits if the state database is away."""


class Answer(Enum):
    """What a channel answers to a notice."""

    TAKEN = "taken"
    NOT_NOW = "not now"
    NEVER = "never"


@dataclass(frozen=True)
class Sent:
    """What came of sending a notice: the answer, and what there is to say about it."""

    answer: Answer
    said: str = ""


class Post:
    """Tells the deliveries of one channel, in order, from a thread of its own."""

    def __init__(self, runner: Runner, channel: Channel, first_pause_seconds: float = FIRST_PAUSE_SECONDS) -> None:
        """Nothing is sent before `start`."""
        self.channel, self._runner, self._first_pause = channel, runner, first_pause_seconds
        self._told: set[int] = set()
        """Deliveries that were told, and whose telling is not recorded yet."""
        self._alone_upto = 0
        """Deliveries up to this id are sent alone: the digest with them was refused."""
        self._direct: collections.deque[Content] = collections.deque(maxlen=MOST_DIRECT)
        self._direct_at, self._boot = -math.inf, runner.state.clock.boot
        self._loop = runner.loops.loop(f"notices to {channel.name}", self._step)
        self._failures = 0

    def start(self) -> None:
        """Begin, in a thread of its own."""
        self._loop.start()

    def ask_to_stop(self) -> None:
        """Ask the thread to end. A delivery that is cut off now is told again after the next start."""
        self._loop.ask_to_stop()

    def wait(self, seconds: float) -> None:
        """Wait so long for the thread to end."""
        self._loop.wait(seconds)

    def wake(self) -> None:
        """Say that there may be something to tell."""
        self._loop.wake()

    def tell_directly(self, content: Content) -> None:
        """Tell a notice that the state database cannot hold; it is lost with the process."""
        self._direct.append(content)
        self._loop.wake()

    def _step(self) -> float:
        return self._round(self._runner.state.clock.now())

    def _round(self, now: datetime) -> float:
        """Tell what is due, at most one message from the state database; return the seconds until the next round."""
        while self._direct and self._boot() >= self._direct_at:
            if self._send(self._direct[0]).answer is Answer.NOT_NOW:
                self._direct_at = self._boot() + self._pause(self._failures)
            else:
                self._direct.popleft()
        pause = self._tell_next(now)
        return min(pause, self._direct_at - self._boot()) if self._direct else pause

    def _tell_next(self, now: datetime) -> float:
        if self._runner.lead.fence is None:
            return IDLE_SECONDS
        try:
            with self._runner.state.read() as connection:
                rows = deliveries.waiting_of(connection, self.channel.name, MOST_TOGETHER)
            if not rows:
                return IDLE_SECONDS
            if (seconds := self._seconds_until_due(rows[0], now)) > 0:
                return seconds
            due = list(takewhile(lambda row: self._seconds_until_due(row, now) <= 0, rows))
            alone = not self.channel.together or rows[0].id <= self._alone_upto
            return self._deliver(due[:1] if alone else due)
        except Fenced:
            return IDLE_SECONDS
        except JanitorError as exc:
            log.debug("%s waits for the state database: %s", self.channel.name, exc)
            return AWAY_SECONDS

    def _seconds_until_due(self, row: Any, now: datetime) -> float:
        """How long a delivery still waits; never longer than its pause: else the clock was set back meanwhile."""
        seconds, pause = float((row.due_at - now).total_seconds()), self._pause(row.tries) if row.tries else 0.0
        return seconds if seconds <= pause + SLACK_SECONDS else 0.0

    def _deliver(self, rows: Sequence[Any]) -> float:
        """Send these deliveries as one message, and record what came of it; return the seconds until the next round."""
        fresh = [row for row in rows if row.id not in self._told]
        if not fresh:
            return self._close_delivered(rows, "")
        contents = {row.id: content for row in fresh if (content := self._read(row)) is not None}
        if len(contents) < len(fresh):
            return self._give_up([row for row in fresh if row.id not in contents], UNREADABLE)
        sent = self._send(digest(list(contents.values())), fresh[0].tries)
        if sent.answer is Answer.TAKEN:
            return self._close_delivered(rows, sent.said)
        if sent.answer is Answer.NEVER and len(fresh) > 1:
            # The digest is too long, or one notice in it is refused: the others shall not suffer.
            self._alone_upto = fresh[-1].id
            return 0.0
        return self._put_off(fresh, sent)

    def _read(self, row: Any) -> Content | None:
        content = None
        with self._loop.duty.aside(f"delivery {row.id}"):
            content = from_json(row.content)
        return content

    def _give_up(self, rows: Sequence[Any], why: str) -> float:
        now, ids = self._runner.state.clock.now(), {row.id for row in rows}
        self._record(lambda connection: _close(connection, ids, deliveries.GIVEN_UP, now, why))
        return 0.0

    def _close_delivered(self, rows: Sequence[Any], said: str) -> float:
        now, ids = self._runner.state.clock.now(), {row.id for row in rows}
        self._told |= ids
        self._record(lambda connection: _close(connection, ids, deliveries.DELIVERED, now, said or None))
        self._told -= ids
        return 0.0

    def _put_off(self, rows: Sequence[Any], sent: Sent) -> float:
        """Give up what is refused for good or is too old; put the first of the others off."""
        now, first = self._runner.state.clock.now(), rows[0]
        lost = [row for row in rows if sent.answer is Answer.NEVER or now - row.added_at > GIVEN_UP_AFTER]
        pause = self._pause(first.tries + 1)
        for row in lost:
            tries = row.tries + 1
            log.error("%s: notice %d is given up after %d tries: %s", self._name, row.notice_id, tries, sent.said)

        def record(connection: Connection) -> None:
            _close(connection, {row.id for row in lost}, deliveries.GIVEN_UP, now, sent.said)
            # The others wait behind the first. One error on one delivery is enough to show the channel's trouble.
            deliveries.put_off(connection, first.id, now + timedelta(seconds=pause), sent.said)

        self._record(record)
        return 0.0 if first in lost else pause

    def _send(self, content: Content, tries: int = 0) -> Sent:
        """Send one message, and log when the channel's trouble begins and ends."""
        try:
            said = self._runner.mask(self._send_somehow(content))
        except Undelivered as exc:
            reason = self._runner.mask(str(exc))
            if not self._failures:
                log.warning("notices cannot be told by %s and wait: %s", self._name, reason)
            self._failures += 1
            return Sent(Answer.NEVER if exc.final else Answer.NOT_NOW, reason)
        if said:
            log.warning("notices by %s: %s", self._name, said)
        if self._failures or tries:
            log.info("notices are told by %s again", self._name)
        self._failures = 0
        return Sent(Answer.TAKEN, said)

    def _send_somehow(self, content: Content) -> str:
        """Send one message; in brief if the channel stumbles over it.

        Raises:
            Undelivered: the channel does not take it, or stumbles over the brief message too.
        """
        with self._loop.duty.aside(f"the long form of notice {content.key}"):
            return self.channel.send(content)
        with foreign_code(_stumbles):
            return self.channel.send(content.brief)
        raise AssertionError("unreachable")

    @property
    def _name(self) -> str:
        return f"{self.channel.name} ({self.channel.where})"

    def _pause(self, tries: int) -> float:
        return min(LONGEST_PAUSE_SECONDS, self._first_pause * 2.0 ** min(tries - 1, 20))

    def _record(self, write: Callable[[Connection], object]) -> None:
        fence = self._runner.lead.fence
        if fence is None:
            raise Fenced("this daemon does not lead any more")
        with self._runner.state.begin(fence) as connection:
            write(connection)


def _stumbles(error: BaseException) -> NoReturn:
    if isinstance(error, JanitorError):
        raise error
    raise Undelivered(f"this channel cannot be used: {summary(error)}") from error


def _close(connection: Connection, ids: Collection[int], outcome: str, now: datetime, reason: str | None) -> None:
    for delivery_id in ids:
        deliveries.close(connection, delivery_id, outcome, now, reason)
