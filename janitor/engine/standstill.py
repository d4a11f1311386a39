"""A standstill: this daemon leads, slots are due, and nothing comes of them.

    a slot is due ──> the clock notices it ──> it is in the journal ──> it begins, or is recorded as lost
                      unless it does not tick,  unless nobody writes it
                      or waits until slots are counted

Another daemon may do better. So whoever stands still gives the lead up, and leads again once it could work; its runs go
on. While the state database is away, or says no, nobody could do better: that is no standstill. Only the time counts in
which leases are renewed.

A slow state database is no standstill either, as long as one record after the other is written. A transaction is over
after a second and its last record, and the time is counted anew.
"""

import math
import time
from collections.abc import Callable

from janitor.engine.heartbeat import DEAD_SECONDS, Heartbeat
from janitor.engine.journal import Journal
from janitor.engine.lease_renewal import LeaseRenewal

STILL_SECONDS = 60.0
"""For how long nothing may be written although a record waits, and for how long the clock may wait for one count."""
SURE = 5
"""In so many looks, one after the other, nothing must have come. A process that was frozen catches up within one."""


class Standstill:
    """Looks whether anything comes of the slots that are due."""

    def __init__(
        self,
        heartbeat: Heartbeat,
        journal: Journal,
        renewal: LeaseRenewal,
        clock: Callable[[], float] = time.monotonic,
        counting: Callable[[], bool] = lambda: False,
    ) -> None:
        """Nothing is looked at before `why`.

        `counting` tells whether the clock waits until slots are counted, with nothing left to be written before.
        """
        self._heartbeat, self._journal, self._renewal, self._clock = heartbeat, journal, renewal, clock
        self._counting, self._counting_since = counting, math.inf
        self._looks = 0

    def why(self) -> str | None:
        """Why nothing comes of the slots that are due; None if all is well, or may be. Call it each second or so."""
        reason = self._reason()
        self._looks = 0 if reason is None else self._looks + 1
        return reason if self._looks >= SURE else None

    def _reason(self) -> str | None:
        silent = self._heartbeat.silent_seconds()
        if silent is not None and silent > DEAD_SECONDS:
            return f"the clock has not ticked for {silent:.0f} s"
        waits, renewed = self._journal.waits_since, self._renewal.renewed_since
        if waits is not None and renewed is not None:
            seconds = self._clock() - max(waits, renewed)
            if seconds > STILL_SECONDS:
                number = self._journal.waiting
                return f"{number} record{'s' if number > 1 else ''} could not be written for {seconds:.0f} s"
        self._counting_since = min(self._counting_since, self._clock()) if self._counting() else math.inf
        if renewed is not None:
            seconds = self._clock() - max(self._counting_since, renewed)
            if seconds > STILL_SECONDS:
                return f"the slots could not be counted for {seconds:.0f} s"
        return None
