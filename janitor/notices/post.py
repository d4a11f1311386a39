"""Delivering notices: a thread for each channel, so that one that hangs holds up no other, and no run."""

import logging
import threading
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import Any

from janitor.errors import Fenced, JanitorError
from janitor.execution import Runner
from janitor.notices.channels import Channel, Undelivered
from janitor.notices.content import Content, from_json
from janitor.state import notices

log = logging.getLogger(__name__)

FIRST_PAUSE_SECONDS = 10.0
LONGEST_PAUSE_SECONDS = 600.0
GIVEN_UP_AFTER = timedelta(days=1)
IDLE_SECONDS = 60.0
"""How often a channel looks for something to tell that nobody told it of."""
AWAY_SECONDS = 5.0
"""How long a channel waits for the state database."""


class Post:
    """Tells what a channel has to tell, in order, and tries again with growing pauses until it is taken or given up.

    What was taken and could not be recorded so, as the process died, is told again: at least once, not exactly once.
    """

    def __init__(self, runner: Runner, channel: Channel, first_pause_seconds: float = FIRST_PAUSE_SECONDS) -> None:
        """Nothing is sent before `start`."""
        self.channel, self._runner, self._first_pause = channel, runner, first_pause_seconds
        self._told: set[int] = set()
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
                row = notices.next_of(connection, self.channel.name)
            if row is None:
                return IDLE_SECONDS
            if row.due_at > now:
                return float((row.due_at - now).total_seconds())
            return self._deliver(row)
        except Fenced:
            return IDLE_SECONDS
        except JanitorError as exc:
            log.debug("%s waits for the state database: %s", self.channel.name, exc)
            return AWAY_SECONDS

    def _deliver(self, row: Any) -> float:
        ok, said = (True, "") if row.id in self._told else self._try(from_json(row.content), row.tries)
        now = datetime.now(timezone.utc)
        if ok is True:
            self._told.add(row.id)
            self._record(lambda connection: notices.close(connection, row.id, notices.DELIVERED, now, said or None))
            self._told.discard(row.id)
            return 0.0
        if ok is None or now - row.added_at > GIVEN_UP_AFTER:
            log.error("%s: notice %d is given up after %d tries: %s", self._name, row.notice_id, row.tries + 1, said)
            self._record(lambda connection: notices.close(connection, row.id, notices.GIVEN_UP, now, said))
            return 0.0
        pause = self._pause(row.tries + 1)
        due_at = now + timedelta(seconds=pause)
        self._record(lambda connection: notices.put_off(connection, row.id, due_at, said))
        return pause

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
