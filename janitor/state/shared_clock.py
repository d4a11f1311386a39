"""The shared clock: the time of day by which all daemons of a state database count, whatever their hosts' clocks say.

    state database    ───────told───────>     says 12:00:00, somewhere between the two readings
    boot clock        ──began─────ended──>    here; nobody can set it

1. Each time that the state database tells its time, the moment lies between two readings of the boot clock.
2. Between two tellings the boot clock goes on. So it does no harm if the host's clock is set.
3. What was known before stays if it fits the telling. If it does not, it moves just as far as it must: a slow answer
   makes no clock leap.
4. SQLite has no clock of its own: all its processes are on one machine, and share the clock of that machine.
5. If the state database's clock is set forward, every lease seems to have ended. So each leap is remembered until all
   who live have renewed theirs.
"""

from collections import deque
from collections.abc import Callable
from datetime import datetime, timedelta, timezone

from sqlalchemy import Connection

from janitor.state.clocks import boot_clock
from janitor.state.holders import LONGEST_LEASE_SECONDS

LEAST_LEAP = timedelta(seconds=1)
"""By how much the clock must have been set to be remembered: a little is due to how clocks run."""


def host_time() -> datetime:
    """The time of day of this machine, aware UTC."""
    return datetime.now(timezone.utc)


class SharedClock:
    """Tells the time of day of a state database, without asking it each time; from any thread."""

    def __init__(
        self,
        asked: Callable[[Connection], datetime] | None,
        host: Callable[[], datetime] = host_time,
        boot: Callable[[], float] = boot_clock,
        zero: datetime | None = None,
    ) -> None:
        """`asked` asks the state database for its time; None if it shares the clock of this machine.

        `zero` is what another process of this machine knows already.
        """
        self._asked, self._host = asked, host
        self.boot = boot
        """Seconds on the boot clock."""
        self.zero = zero
        """The moment, by the state database's clock, at which the boot clock was 0; None if it is not known."""
        self._seen = self._first = zero
        self._leaps: deque[tuple[float, datetime]] = deque(maxlen=100)

    def now(self) -> datetime:
        """The time of the state database, as far as it was ever asked; the host's time before that. Aware UTC."""
        zero = self.zero
        return self._host() if zero is None else zero + timedelta(seconds=self.boot())

    def ask(self, connection: Connection) -> datetime:
        """What the state database says, aware UTC; from now on `now` goes by it."""
        began = self.boot()
        told = self._host() if self._asked is None else self._asked(connection)
        before, ended = self._seen, self.boot()
        seen = self._seen = _fitted(before, told - timedelta(seconds=ended), told - timedelta(seconds=began))
        if before is not None and abs(seen - before) > LEAST_LEAP:
            self._leaps.append((ended, before))
        self._first = self._first or seen
        if self._asked is not None:
            self.zero = seen
        return told

    def leapt(self, seconds: float = LONGEST_LEASE_SECONDS) -> timedelta:
        """How far the clock was set forward within the last `seconds`, as long as the longest lease; 0 if it was not.

        A lease that has ended by `now`, and had not ended so long before, may be its holder's all the same.
        """
        since, seen = self.boot() - seconds, self._seen
        before = [zero for at, zero in list(self._leaps) if at >= since]
        return max(timedelta(), seen - min(before)) if seen is not None and before else timedelta()

    @property
    def was_set_seconds(self) -> float:
        """How far the state database's clock was set since it was first asked; negative if it was set back."""
        return 0.0 if self._seen is None or self._first is None else (self._seen - self._first).total_seconds()

    @property
    def host_ahead_seconds(self) -> float:
        """How far the host's clock is ahead of the state database's; negative if it is behind, 0 if not known."""
        zero = self.zero
        return 0.0 if zero is None else (self._host() - self.now()).total_seconds()


def _fitted(zero: datetime | None, earliest: datetime, latest: datetime) -> datetime:
    """What was known, moved just as far as it must to lie between two moments."""
    return earliest + (latest - earliest) / 2 if zero is None else min(max(zero, earliest), latest)
