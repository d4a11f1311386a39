"""Obstacles: what keeps a daemon from its work, for as long as it does. The log, `ready` and the overview tell of each.

    meet("coming to lead", why)    for the first time     it is told
                                   again, each minute     it is told again: a log may be read from its end
    overcome("coming to lead")                            it is over

An error that comes once is no obstacle for others than the log: a connection may be lost at any time.
"""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timezone

from janitor.loops import Trouble

LEADING = "coming to lead"
KEEPING = "keeping the leases"
KEEPER = "the keeper"
RECORDING = "recording"
RUNNING = "running what is due"
TELL_AGAIN_SECONDS = 60.0


@dataclass(frozen=True)
class _Met:
    """How often an obstacle was met, since when, and when it is told again."""

    trouble: Trouble
    began: float
    told: float


class Obstacles:
    """The obstacles of one process, each by the name of what it hinders."""

    def __init__(self, mask: Callable[[str], str] = str, clock: Callable[[], float] = time.monotonic) -> None:
        """Nothing is hindered. `mask` hides secrets in the reasons."""
        self._mask, self._clock = mask, clock
        self._met: dict[str, _Met] = {}
        self._counting = threading.Lock()

    def meet(self, part: str, why: object) -> float | None:
        """Note that a part cannot do its work now; for how many seconds so far, None if that need not be told now."""
        now, text = self._clock(), self._mask(str(why))
        with self._counting:
            before = self._met.get(part)
            if before is None:
                self._met[part] = _Met(Trouble(part, datetime.now(timezone.utc), 1, text), now, now)
                return 0.0
            trouble = replace(before.trouble, failures=before.trouble.failures + 1, why=text)
            is_time = now - before.told >= TELL_AGAIN_SECONDS
            self._met[part] = _Met(trouble, before.began, now if is_time else before.told)
        return now - before.began if is_time else None

    def overcome(self, part: str) -> bool:
        """Note that a part does its work again; whether it was hindered."""
        with self._counting:
            return self._met.pop(part, None) is not None

    @property
    def troubles(self) -> Sequence[Trouble]:
        """What is hindered now, and was so more than once."""
        return [met.trouble for met in list(self._met.values()) if met.trouble.failures > 1]

    def why(self, part: str) -> str | None:
        """Why a part is hindered now, if it was so more than once; None if it is not."""
        return next((trouble.why for trouble in self.troubles if trouble.duty == part), None)
