"""A channel: what is known of one thing in the state database, for all who watch it.

    state database --read, once a second--> channel --tell--> each stream that waits, whoever watches

A channel is read in a thread and changed in the event loop alone. Each change makes its `version` one higher, so that a
stream knows by the version that it told last whether there is news.
"""

import asyncio
from abc import ABC, abstractmethod
from typing import Any

import orjson
from sqlalchemy import Connection


class Channel(ABC):
    """What is known of one thing, and the version that grows with each change."""

    def __init__(self) -> None:
        """Nothing is known, and nobody watches."""
        self.version = 0
        self.viewers = 0
        self.is_over = False
        """Whether nothing will change any more."""
        self.trouble = ""
        """Why it cannot be read at this moment; empty if it can."""
        self._news = asyncio.Event()

    @abstractmethod
    def read(self, connection: Connection) -> Any:
        """Ask the database, in a thread; the channel itself does not change."""

    @abstractmethod
    def take(self, found: Any) -> bool:
        """Keep what was read; whether anything differs."""

    def tell(self) -> None:
        """Wake everybody who waits."""
        self.version += 1
        self._news.set()
        self._news = asyncio.Event()

    async def wait(self, version: int, seconds: float) -> bool:
        """Wait until there is a later version; False if there is none within so many seconds."""
        if self.version > version:
            return True
        try:
            await asyncio.wait_for(self._news.wait(), seconds)
        except TimeoutError:
            return False
        return True


def as_json(value: object) -> bytes:
    """A value as JSON, instants with a Z."""
    return orjson.dumps(value, option=orjson.OPT_UTC_Z)
