"""Delivering notices: a thread for each channel, so that one that hangs holds up no other, and no run."""

import logging
import threading
from collections.abc import Callable, Collection, Sequence
from datetime import datetime, timedelta, timezone
from itertools import takewhile
from typing import Any

from sqlalchemy import Connection

from janitor.engine.runner import Runner
from janitor.errors import Fenced, JanitorError
from janitor.notices.channel import Channel, Undelivered
from janitor.notices.content import Content, digest, from_json
from janitor.state import notices

log = logging.getLogger(__name__)

FIRST_PAUSE_SECONDS = 10.0
LONGEST_PAUSE_SECONDS = 600.0
GIVEN_UP_AFTER = timedelta(days=1)
IDLE_SECONDS = 60.0
"""How often a channel looks for something to tell that nobody told it of."""
MOST_TOGETHER = 20
"""How many notices one digest may hold: Slack takes 50 blocks."""
AWAY_SECONDS = 5.0
"""How long a channel waits for the state database."""


class Post:
    """Tells what a channel has to tell, in order, and tries again with growing pauses until it is taken or given up.

    What becomes due together is told together, where the channel takes digests. What was taken and could not
    be recorded so, as the process died, is told again: at least once, not exactly once.
    """

    def __init__(self, runner: Runner, channel: Channel, first_pause_seconds: float = FIRST_PAUSE_SECONDS) -> None:
        """Nothing is sent before `start`."""
        self.channel, self._runner, self._first_pause = channel, runner, first_pause_seconds
        self._told: set[int] = set()
        self._alone_upto = 0
        self._direct: list[Content] = []
        self._direct_at = datetime.min.replace(tzinfo=timezone.utc)
        self._news, self._stop = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._loop, name=f"notices to {channel.name}", daemon=True)
        self._failures = 0

    def start(self) -> None:
        """Begin, in a thread of its own."""
        self._thread.start()

    def ask_to_stop(self) -> None:
        """Let the thread end; a delivery that goes on then is not waited for, and is told again by the next start."""
        self._stop.set()
        self._news.set()

    def wait(self, seconds: float) -> None:
        """Wait for the thread's end."""
        self._thread.join(seconds)

    def wake(self) -> None:
        """Say that there may be something to tell."""
        self._news.set()

    def tell_directly(self, content: Content) -> None:
        """Tell of something that the state database cannot remember; it is lost with the process."""
        self._direct.append(content)
        self._news.set()

    def _loop(self) -> None:
        while not self._stop.is_set():
            self._news.clear()
            self._news.wait(self._round(datetime.now(timezone.utc)))

    def _round(self, now: datetime) -> float:
        """Tell one thing, where there is one; seconds until the next."""
        while self._direct and now >= self._direct_at:
            if self._try(self._direct[0])[0] is not False:
                self._direct.pop(0)
            else:
                self._direct_at = now + timedelta(seconds=self._pause(self._failures))
        pause = self._next(now)
        return min(pause, (self._direct_at - now).total_seconds()) if self._direct else pause

    def _next(self, now: datetime) -> float:
        if self._runner.daemon_fence is None:
            return IDLE_SECONDS
        try:
            with self._runner.state.read() as connection:
                rows = notices.waiting_of(connection, self.channel.name, MOST_TOGETHER)
            if not rows:
                return IDLE_SECONDS
            if rows[0].due_at > now:
                return float((rows[0].due_at - now).total_seconds())
            due = list(takewhile(lambda row: row.due_at <= now, rows))
            alone = not self.channel.together or rows[0].id <= self._alone_upto
            return self._deliver(due[:1] if alone else due)
        except Fenced:
            return IDLE_SECONDS
        except JanitorError as exc:
            log.debug("%s waits for the state database: %s", self.channel.name, exc)
            return AWAY_SECONDS

    def _deliver(self, rows: Sequence[Any]) -> float:
        """Tell these, as one where they are several; what was told and not yet recorded so is not told again."""
        fresh = [row for row in rows if row.id not in self._told]
        tries = fresh[0].tries if fresh else 0
        ok, said = self._try(digest([from_json(row.content) for row in fresh]), tries) if fresh else (True, "")
        now = datetime.now(timezone.utc)
        if ok is True:
            ids = {row.id for row in rows}
            self._told |= ids
            self._record(lambda connection: _close(connection, ids, notices.DELIVERED, now, said or None))
            self._told -= ids
            return 0.0
        if ok is None and len(fresh) > 1:
            # Too long together, or one of them is not for this channel: the others are not to suffer.
            self._alone_upto = fresh[-1].id
            return 0.0
        lost = [row for row in fresh if ok is None or now - row.added_at > GIVEN_UP_AFTER]
        due_at = now + timedelta(seconds=self._pause(tries + 1))

        def record(connection: Connection) -> None:
            _close(connection, {row.id for row in lost}, notices.GIVEN_UP, now, said)
            # The first keeps the others waiting; it is enough that one of them tells what is wrong with the channel.
            notices.put_off(connection, fresh[0].id, due_at, said)

        for row in lost:
            log.error("%s: notice %d is given up after %d tries: %s", self._name, row.notice_id, row.tries + 1, said)
        self._record(record)
        return 0.0 if fresh[0] in lost else self._pause(tries + 1)

    def _try(self, content: Content, tries: int = 0) -> tuple[bool | None, str]:
        """Send once: True and a remark, False and why not, None and why never."""
        try:
            said = self.channel.send(content)
        except Undelivered as exc:
            reason = self._runner.mask(str(exc))
            if not self._failures:
                log.warning("notices cannot be told by %s and wait: %s", self._name, reason)
            self._failures += 1
            return (None if exc.final else False), reason
        if said:
            log.warning("notices by %s: %s", self._name, self._runner.mask(said))
        if self._failures or tries:
            log.info("notices are told by %s again", self._name)
        self._failures = 0
        return True, self._runner.mask(said)

    @property
    def _name(self) -> str:
        return f"{self.channel.name} ({self.channel.where})"

    def _pause(self, tries: int) -> float:
        return min(LONGEST_PAUSE_SECONDS, self._first_pause * 2.0 ** min(tries - 1, 20))

    def _record(self, write: Callable[[Any], object]) -> None:
        fence = self._runner.daemon_fence
        if fence is None:
            raise Fenced("this daemon does not lead any more")
        with self._runner.state.begin(fence) as connection:
            write(connection)


def _close(connection: Connection, ids: Collection[int], outcome: str, now: datetime, reason: str | None) -> None:
    for delivery_id in ids:
        notices.close(connection, delivery_id, outcome, now, reason)
