"""Attempts that failed: after too many of them, the next ones must wait.

Within five minutes 5 may fail by one user from one address, 20 from one address, and 20 by one user. The window moves:
each failure is forgotten five minutes after it happened. The counting is that of `limits`, in this process's memory.

`limits` forgets the failures of a key, and keeps the key for ever. Somebody who tries new names, or comes from new
addresses, would fill the memory. So beyond `MOST_KEYS` the counting goes on in a new storage, with the newest half.
"""

import threading
import time
from collections.abc import Iterator

from limits import RateLimitItem, RateLimitItemPerSecond
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

WINDOW_SECONDS = 300
OF_USER_AND_ADDRESS = RateLimitItemPerSecond(5, WINDOW_SECONDS)
OF_ONE = RateLimitItemPerSecond(20, WINDOW_SECONDS)
MOST_KEYS = 10_000
"""How many users, addresses and pairs of both are remembered."""


class Failures:
    """The failed attempts of the last five minutes, by user and by address."""

    def __init__(self) -> None:
        """Nobody has failed yet."""
        self._storage = MemoryStorage()
        self._window = MovingWindowRateLimiter(self._storage)
        self._lock = threading.Lock()

    def __len__(self) -> int:
        """How many users, addresses and pairs of both are remembered."""
        return len(self._storage.events)

    def wait_seconds(self, user: str, address: str) -> float:
        """How long this user at this address must wait before the next attempt; 0 if an attempt may be made."""
        waits = [0.0]
        for limit, *key in self._keys(user, address):
            if not self._window.test(limit, *key):
                waits.append(self._window.get_window_stats(limit, *key).reset_time - time.time())
        return max(waits)

    def add(self, user: str, address: str) -> None:
        """Count an attempt that failed now."""
        with self._lock:
            for limit, *key in self._keys(user, address):
                self._window.hit(limit, *key)
            if len(self) > MOST_KEYS:
                self._keep_newest(MOST_KEYS // 2)

    def _keep_newest(self, count: int) -> None:
        # A new storage, since a thread of the old storage may be at work on its keys.
        failed = [(key, found) for key, found in self._storage.events.copy().items() if found]
        newest = sorted(failed, key=lambda one: one[1][0].atime)[-count:]
        self._storage = MemoryStorage()
        self._storage.events.update(newest)
        self._window = MovingWindowRateLimiter(self._storage)

    def _keys(self, user: str, address: str) -> Iterator[tuple[RateLimitItem, str, str]]:
        yield OF_USER_AND_ADDRESS, address, user
        yield OF_ONE, "address", address
        yield OF_ONE, "user", user
