"""Readings of what may be slow or away: one at a time, each kept for a while; each caller says how long to wait.

get ── the last value is new enough ──────────────────────────> that value
 └─── it is too old ── start a thread that reads, unless one does
                        └── wait: it ends in time ────────────> the new value
                                  it does not, or it fails ───> the value before, and why
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from janitor.errors import JanitorError
from janitor.loops import Loops, named_errors

T = TypeVar("T")


@dataclass(frozen=True)
class Answer(Generic[T]):
    """The newest value that was read, None before the first; `failure` says why it is not up to date."""

    value: T | None
    failure: str | None = None


class Reading(Generic[T]):
    """A value that is read in a thread of its own, if somebody asks for it and the last value is too old."""

    def __init__(
        self, source: Callable[[], T], keep_seconds: float, share: float = 0.1, loops: Loops | None = None
    ) -> None:
        """Nothing is read before the first `get`; `loops` tell of a source that raises what it should not.

        A value is kept for `keep_seconds`; longer, if reading would else take more than `share` of the time. After a
        failure it may take half of the time: else the failure would be told long after it is over.
        """
        self._keep_seconds, self._share = keep_seconds, share
        name = f"reading for metrics ({getattr(source, '__name__', 'reading').strip('_')})"
        self._duty = (loops or Loops()).duty(name, source, passes=named_errors)
        self._lock = threading.Lock()
        self._going_on: threading.Event | None = None
        self._read_again_at = 0.0
        self._answer: Answer[T] = Answer(None, "nothing was read yet")

    def get(self, wait_seconds: float) -> Answer[T]:
        """The value, read anew if it is too old; after `wait_seconds` the value before, with the reason."""
        with self._lock:
            if self._going_on is None and time.monotonic() >= self._read_again_at:
                # There may be no thread to be had: then the next caller tries again. The thread waits for the lock.
                threading.Thread(target=self._read, name="reading", daemon=True).start()
                self._going_on = threading.Event()
            going_on = self._going_on
        if going_on is not None and not going_on.wait(wait_seconds):
            failure = f"no answer within {wait_seconds:g} s" if wait_seconds else self._answer.failure
            return Answer(self._answer.value, failure)
        return self._answer

    def _read(self) -> None:
        began = time.monotonic()
        try:
            found = self._duty.do()
            failure = "reading it failed; the log tells why" if self._duty.has_failed else None
        except JanitorError as exc:
            found, failure = None, str(exc)
        ended = time.monotonic()
        with self._lock:
            self._answer = Answer(found) if failure is None else Answer(self._answer.value, failure)
            going_on, self._going_on = self._going_on, None
            pause = (ended - began) / (self._share if failure is None else 1)
            self._read_again_at = ended + max(self._keep_seconds, pause)
        if going_on is not None:
            going_on.set()
