"""What was found out a moment ago: pages that keep themselves up to date ask for the same again and again."""

import threading
import time
from collections.abc import Callable
from typing import Any

SECONDS = 1.0
"""How old an answer may be: pages ask a little longer than that after they have heard of a change."""
MOST = 100


class Lately:
    """Answers for as long as they are fresh; of many who ask for one at once, one finds it out for all."""

    def __init__(self) -> None:
        """Nothing is known yet."""
        self._known: dict[str, tuple[float, Any]] = {}
        self._locks: dict[str, threading.Lock] = {}

    def get(self, name: str, find: Callable[[], Any], fresh: bool) -> Any:
        """What `find` returns, now where it is to be `fresh`, else at most a second ago.

        Raises:
            Whatever `find` raises; nothing is kept of that.
        """
        with self._locks.setdefault(name, threading.Lock()):
            at, value = self._known.get(name, (-SECONDS, None))
            if fresh or time.monotonic() - at > SECONDS:
                value = find()
                if len(self._known) > MOST:
                    self._known.clear()
                self._known[name] = time.monotonic(), value
            return value
