"""Heartbeats: whoever waits for an item is told at each stage, and now and then while it is computed.

    a worker        notes that a step begins on an item, and how it ended
    the run's loop  tells what was noted, and what has been at work for long

They are for people who look: nothing is kept of them, and a heartbeat that cannot be told is left out.
"""

import functools
import logging
import time
from collections import deque
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from janitor.errors import summary
from janitor.guard import foreign_code
from janitor.items.ends import Reply, Sender
from janitor.items.item import Item
from janitor.settings.settings import Settings

log = logging.getLogger(__name__)

BEGINS, AT_WORK, ENDED = "begins", "at work", "ended"
"""The stages of a step."""
MOST_WAITING = 10_000
AGAIN_SECONDS = 30.0
"""After so long a connection is tried again that could not be made."""


class Beats:
    """The heartbeats of one run of a step."""

    def __init__(self, replies: Sequence[Reply], settings: Settings | None) -> None:
        """Nothing is opened before the first heartbeat. Without replies that want any, nothing is noted."""
        self._replies = [reply for reply in replies if reply.beat_seconds > 0] if settings is not None else []
        self._settings = settings
        self._senders: dict[str, Sender] = {}
        self._again_at: dict[str, float] = {}
        self._news: deque[tuple[Item, str, dict[str, Any]]] = deque(maxlen=MOST_WAITING)
        self._at_work: dict[int, tuple[Item, float]] = {}
        self._told_at: dict[tuple[str, int], float] = {}

    def begins(self, item: Item) -> None:
        """Note that a worker begins; from any thread."""
        if self._replies:
            self._at_work[item.id] = item, time.monotonic()
            self._news.append((item, BEGINS, {}))

    def ended(self, item_id: int, status: str) -> None:
        """Note how an attempt ended, if it was noted that it begins; from any thread."""
        known = self._at_work.pop(item_id, None)
        if known is not None:
            item, began = known
            self._news.append((item, ENDED, {"status": status, "seconds": round(time.monotonic() - began, 3)}))

    def tick(self, now: datetime) -> None:
        """Tell what was noted, and what is at work for longer than a reply's `beat_seconds`; in the run's thread."""
        if not self._replies:
            return
        news = [self._news.popleft() for _ in range(len(self._news))]
        for reply in self._replies:
            for item, stage, more in news:
                self._tell(reply, item, stage, now, more)
            for item, began in list(self._at_work.values()):
                told = self._told_at.get((reply.name, item.id), began)
                if time.monotonic() - told >= reply.beat_seconds:
                    self._tell(reply, item, AT_WORK, now, {"seconds": round(time.monotonic() - began, 3)})
        self._told_at = {key: at for key, at in self._told_at.items() if key[1] in self._at_work}

    def close(self, now: datetime) -> None:
        """Tell the rest, and close the connections."""
        self.tick(now)
        for sender in self._senders.values():
            with foreign_code(_left_out):
                sender.close()

    def _tell(self, reply: Reply, item: Item, stage: str, now: datetime, more: Mapping[str, Any]) -> None:
        self._told_at[reply.name, item.id] = time.monotonic()
        facts = {
            "pipeline": item.pipeline,
            "key": item.key,
            "step": item.step,
            "stage": stage,
            "attempt": item.attempt,
            "at": now.isoformat(),
            "args": item.args,
            "envelope": item.envelope,
            **more,
        }
        # A sender may be anybody's.
        with foreign_code(functools.partial(self._wait, reply.name)):
            sender = self._sender(reply)
            if sender is not None:
                sender.beat(facts)

    def _sender(self, reply: Reply) -> Sender | None:
        if reply.name not in self._senders:
            if time.monotonic() < self._again_at.get(reply.name, 0.0):
                return None
            assert self._settings is not None
            self._senders[reply.name] = reply.open(self._settings)
        return self._senders[reply.name]

    def _wait(self, name: str, error: BaseException) -> None:
        self._again_at[name] = time.monotonic() + AGAIN_SECONDS
        log.debug("heartbeats by %s are left out for a while: %s", name, summary(error))


def _left_out(error: BaseException) -> None:
    """It was to be closed anyway."""
