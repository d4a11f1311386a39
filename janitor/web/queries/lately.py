"""What was found out a moment ago. Pages that keep themselves up to date ask for the same again and again."""

import threading
import time
from collections.abc import Callable
from typing import Any

SECONDS = 1.0
"""How old an answer may be. After a change, pages wait a little longer than that before they ask."""
MOST = 100
"""How many answers are kept."""


class Lately:
    """Answers, kept for a second. If many ask for the same at once, it is found out once, for all of them."""

    def __init__(self) -> None:
        """Nothing is known yet."""
        self._known: dict[str, tuple[float, Any]] = {}
        self._locks: dict[str, threading.Lock] = {}

    def get(self, name: str, find: Callable[[], Any], fresh: bool) -> Any:
        """What `find` returned at most a second ago; with `fresh`, what it returns now.

        Raises:
            Whatever `find` raises; nothing is kept then.
        """
        if len(self._locks) > MOST:
            # Whoever still waits for a lock that is forgotten here finds it out once more.
            self._known.clear()
            self._locks.clear()
        with self._locks.setdefault(name, threading.Lock()):
            at, value = self._known.get(name, (-SECONDS, None))
            if fresh or time.monotonic() - at > SECONDS:
                value = find()
                self._known[name] = time.monotonic(), value
            return value
