"""Attempts that failed: after too many of them, the next ones must wait.

Within five minutes 5 may fail by one user from one address, 20 from one address, and 20 by one user. The window moves:
each failure is forgotten five minutes after it happened. The counting is that of `limits`, in this process's memory.
"""

import time
from collections.abc import Iterator

from limits import RateLimitItem, RateLimitItemPerSecond
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

WINDOW_SECONDS = 300
OF_USER_AND_ADDRESS = RateLimitItemPerSecond(5, WINDOW_SECONDS)
OF_ONE = RateLimitItemPerSecond(20, WINDOW_SECONDS)


class Failures:
    """The failed attempts of the last five minutes, by user and by address."""

    def __init__(self) -> None:
        """Nobody has failed yet."""
        self._window = MovingWindowRateLimiter(MemoryStorage())

    def wait_seconds(self, user: str, address: str) -> float:
        """How long this user at this address must wait before the next attempt; 0 if an attempt may be made."""
        waits = [0.0]
        for limit, *key in self._keys(user, address):
            if not self._window.test(limit, *key):
                waits.append(self._window.get_window_stats(limit, *key).reset_time - time.time())
        return max(waits)

    def add(self, user: str, address: str) -> None:
        """Count an attempt that failed now."""
        for limit, *key in self._keys(user, address):
            self._window.hit(limit, *key)

    def _keys(self, user: str, address: str) -> Iterator[tuple[RateLimitItem, str, str]]:
        yield OF_USER_AND_ADDRESS, address, user
        yield OF_ONE, "address", address
        yield OF_ONE, "user", user
