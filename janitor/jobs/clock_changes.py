"""How a zone's clocks change: the periods between changes, each with its one offset to UTC.

         period                     period
    ───────────────────┊──────────────────────────────┊─────────>  UTC
       offset +1:00    ┊        offset +2:00          ┊  +1:00
    wall ...00:59      ┊ 03:00 ...              02:59 ┊ 02:00 ...
                     begins: 02:00 to 03:00           begins: 02:00 to 03:00
                     are left out                     come again

A zone does not tell its changes. So it is asked for its offset every few days, and the moment between is sought by
halving. In the whole tz database no two changes since 1970 are less than six days apart.
"""

import functools
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

STEP = timedelta(days=3)
SECOND = timedelta(seconds=1)


@dataclass(frozen=True)
class Period:
    """From `begin` on, before `end`, a zone's clocks are `offset` ahead of UTC; just before, they were `before`."""

    begin: datetime
    end: datetime
    offset: timedelta
    before: timedelta

    @property
    def expected(self) -> datetime:
        """What the clocks would show at `begin` if they had not changed."""
        return self.begin.replace(tzinfo=None) + self.before

    @property
    def shown(self) -> datetime:
        """What the clocks show at `begin`. What lies between is left out, or comes again if this is the earlier."""
        return self.begin.replace(tzinfo=None) + self.offset


class Clocks:
    """The clocks of one zone."""

    def __init__(self, zone: tzinfo) -> None:
        self._zone = zone
        self._years: dict[int, list[datetime]] = {}

    def offset(self, at: datetime) -> timedelta:
        """How far the clocks are ahead of UTC at a moment."""
        return at.astimezone(self._zone).utcoffset() or timedelta()

    def first(self, shown: datetime) -> datetime:
        """When the clocks show a naive time first, in UTC; if a change leaves it out, the moment of that change."""
        moment = shown.replace(tzinfo=self._zone, fold=0).astimezone(timezone.utc)
        periods = self.periods(moment - 2 * STEP, moment)
        return next((one.begin for one in periods if one.expected <= shown < one.shown), moment)

    def periods(self, since: datetime, until: datetime) -> Iterator[Period]:
        """The periods from `since` to `until`, cut off there; a change at `since` begins the first."""
        begin, before = since, self.offset(since)
        for year in range(since.year, until.year + 1):
            for change in (change for change in self._changes(year) if since <= change <= until):
                if begin < change:
                    yield Period(begin, change, self.offset(begin), before)
                begin, before = change, self.offset(change - SECOND)
        yield Period(begin, max(begin, until) + SECOND, self.offset(begin), before)

    def _changes(self, year: int) -> list[datetime]:
        if year not in self._years:
            self._years[year] = list(self._seek(year))
        return self._years[year]

    def _seek(self, year: int) -> Iterator[datetime]:
        at, end = datetime(year, 1, 1, tzinfo=timezone.utc), datetime(year + 1, 1, 1, tzinfo=timezone.utc)
        at, end = at - SECOND, end - SECOND  # a change in the very first second of a year belongs to it
        offset = self.offset(at)
        while at < end:
            later = min(at + STEP, end)
            before, offset = offset, self.offset(later)
            if before != offset:
                yield self._halve(at, later)
            at = later

    def _halve(self, at: datetime, later: datetime) -> datetime:
        """The first second at which the offset is that of `later`."""
        offset = self.offset(at)
        while later - at > SECOND:
            middle = at + (later - at) // 2
            middle -= timedelta(microseconds=middle.microsecond)
            at, later = (middle, later) if self.offset(middle) == offset else (at, middle)
        return later


def clocks_of(zone: tzinfo) -> Clocks:
    """The clocks of a zone; all who ask for a zone of the tz database share what was found of its changes."""
    return _shared(zone) if isinstance(zone, ZoneInfo) else Clocks(zone)


_shared = functools.lru_cache(maxsize=64)(Clocks)
