"""Leaps: why the clock came so late to its next tick that slots were missed.

                    the shared clock   the boot clock   the process's clock
    leapt           +3600 s            +1 s             +1 s                 set forward, or the machine was paused
    asleep          +3600 s            +3600 s          +1 s                 the machine was suspended
    stood still     +3600 s            +3600 s          +3600 s              the process was stopped, or starved

The greatest of the three differences is the reason. A machine without a boot clock cannot tell sleep from a leap.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from janitor.state.clocks import boot_clock

LEAP = timedelta(seconds=60)
"""By how much the time of day must leap, either way, for slots to be counted anew; less is waited out."""

LEAPT = "the time of day leapt forward: the clock was set, or the machine was paused"
ASLEEP = "the machine was asleep"
STOOD_STILL = "the daemon stood still: its process was stopped, or got no processor time"


@dataclass(frozen=True)
class Moment:
    """Three clocks, read together: the shared clock, the boot clock, and the clock that stops while all sleeps."""

    at: datetime
    boot: float
    awake: float


class Leaps:
    """Compares the clocks at each tick with those of the tick before."""

    def __init__(
        self,
        now: Callable[[], datetime],
        boot: Callable[[], float] = boot_clock,
        awake: Callable[[], float] = time.monotonic,
    ) -> None:
        """Count from this moment on; `now` is the shared clock."""
        self._now, self._boot, self._awake = now, boot, awake
        self._seen = self._read()
        self.why = STOOD_STILL
        """Why slots are missed that came due before the newest tick and after the one before it."""

    def tick(self) -> tuple[datetime, timedelta]:
        """Note a tick: this moment by the shared clock, and how far that clock has gone since the tick before."""
        before, self._seen = self._seen, self._read()
        self.why = cause(before, self._seen)
        return self._seen.at, self._seen.at - before.at

    def _read(self) -> Moment:
        return Moment(self._now(), self._boot(), self._awake())


def cause(before: Moment, after: Moment) -> str:
    """Why slots between two ticks were missed, in words."""
    told, boot = (after.at - before.at).total_seconds(), after.boot - before.boot
    awake = after.awake - before.awake
    return max((awake, STOOD_STILL), (boot - awake, ASLEEP), (told - boot, LEAPT), key=lambda one: one[0])[1]
