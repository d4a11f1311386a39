"""The slots of a cron line: exactly the wall-clock moments that match it, in its zone, on every night of the year.

    spring       01:00   01:30   (02:00 .. 02:59 left out)   03:00   03:30
      30 2 * * *                          x ───────────────> runs at 03:00, once
    autumn       01:30   02:00   02:30   02:00   02:30   03:00
      30 2 * * *                 runs             -
      30 * * * * runs            runs            runs                       a line that names every hour

1. Time is cut into periods in which the zone's offset to UTC is one. In each, wall clock and UTC go side by side.
2. So the slots of a period are the calendar's moments from its first to its last wall-clock time.
3. What a change leaves out matches none of them: the period that follows begins with one slot more.
4. What comes again is left out of the later period, unless the line names every hour.

Our own code, since no library has all of it. On 1,035 nights and days of changed clocks, APScheduler 3.11 differed from
the rule 203 times: it loses the midnight slot of the day after spring's change. croniter 7 differed 76 times: slots
that come twice may run twice. cronsim 2.8 differed 69 times: it drops a slot of `0 */2 * * *` that spring leaves out.
The last two have no years, weeks or `2nd mon`, and none counts slots. `tests/jobs/test_cron_slots.py` compares this
module with a walk over each minute.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta, timezone

from apscheduler.triggers.calendarinterval import CalendarIntervalTrigger
from apscheduler.triggers.cron import CronTrigger

from janitor.jobs.calendar import Calendar
from janitor.jobs.clock_changes import Clocks, Period, clocks_of
from janitor.jobs.date_steps import DateSteps
from janitor.jobs.slots import MOMENT, Slots, SlotTrigger

LARGEST_SHIFT = timedelta(days=2)
"""More than any zone's clocks were ever set forward or back."""
LOOK = timedelta(days=8)
"""How much time is looked through at once; what lies further ahead is leapt to."""


class WallClockSlots(SlotTrigger):
    """A trigger whose slots are the moments of a calendar, as the clocks of a zone show them."""

    __slots__ = ()
    _calendar: Calendar | DateSteps
    _clocks: Clocks

    def slot_after(self, after: datetime) -> datetime | None:
        """The first slot later than a moment, in UTC; None if no slot is left."""
        after = self._from_start(after.astimezone(timezone.utc))
        while (slot := self._first(after, after + LOOK)) is None:
            after += LOOK
            matching = self._calendar.first(_naive(after) - LARGEST_SHIFT)
            if matching is None:
                return None
            after = max(after, _aware(matching) - LARGEST_SHIFT)
        return slot if slot <= self._at_end(slot) else None

    def slots_between(self, after: datetime, until: datetime) -> Slots | None:
        """The slots later than `after`, up to and including `until`; None if there is none."""
        first = self.slot_after(after)
        until = self._at_end(until.astimezone(timezone.utc))
        if first is None or first > until:
            return None
        last, count = first, 0
        for period in self._periods(first, until):
            if first <= period.begin <= until and self._put_off(period):
                last, count = period.begin, count + 1
            since, end = self._matching_in(period, first - MOMENT, until)
            found = self._calendar.count(since, end)
            if found and (newest := self._calendar.last(since, end)) is not None:
                last, count = _aware(newest - period.offset), count + found
        return Slots(first, last, count)

    def _first(self, after: datetime, until: datetime) -> datetime | None:
        for period in self._periods(after, until):
            if after < period.begin <= until and self._put_off(period):
                return period.begin
            since, end = self._matching_in(period, after, until)
            found = self._calendar.first(since)
            if found is not None and found < end:
                return _aware(found - period.offset)
        return None

    def _periods(self, since: datetime, until: datetime) -> Iterator[Period]:
        # The change just before matters too: what it brought back may go on.
        return self._clocks.periods(since - LARGEST_SHIFT, until)

    def _matching_in(self, period: Period, after: datetime, until: datetime) -> tuple[datetime, datetime]:
        """From when on, and before when, the wall clock of a period shows moments after `after`, up to `until`."""
        since = _naive(max(period.begin, after + MOMENT)) + period.offset
        end = _naive(min(period.end, until + MOMENT)) + period.offset
        if not self._calendar.every_hour:
            since = max(since, period.expected)
        return since, end

    def _put_off(self, period: Period) -> bool:
        """Whether a period begins with a slot that the change of clocks left out."""
        if self._calendar.every_hour or period.shown <= period.expected:
            return False
        at_once = self._calendar.first(period.shown) == period.shown
        return not at_once and self._calendar.count(period.expected, period.shown) > 0

    def _from_start(self, after: datetime) -> datetime:
        return after

    def _at_end(self, until: datetime) -> datetime:
        return until


class CronSlots(WallClockSlots, CronTrigger):  # type: ignore[misc]  # APScheduler 3 has no annotations
    """A CronTrigger whose slots are those of its calendar."""

    __slots__ = ("_calendar", "_clocks")

    def __init__(self, trigger: CronTrigger) -> None:
        """Take over all that a CronTrigger says: its fields, zone, first and last moment, and jitter."""
        self.__setstate__(trigger.__getstate__())
        self._calendar, self._clocks = Calendar(self.fields), clocks_of(self.timezone)

    def _from_start(self, after: datetime) -> datetime:
        return after if self.start_date is None else max(after, self.start_date.astimezone(timezone.utc) - MOMENT)

    def _at_end(self, until: datetime) -> datetime:
        return until if self.end_date is None else min(until, self.end_date.astimezone(timezone.utc))


class DateStepSlots(WallClockSlots, CalendarIntervalTrigger):  # type: ignore[misc]  # as above
    """A CalendarIntervalTrigger, such as each month at 04:00; a day whose time is left out keeps its slot."""

    __slots__ = ("_calendar", "_clocks")

    def __init__(self, trigger: CalendarIntervalTrigger) -> None:
        """Take over all that a CalendarIntervalTrigger says: its steps, time of day, zone, first and last day."""
        self.__setstate__(trigger.__getstate__())
        self._calendar, self._clocks = DateSteps(self), clocks_of(self.timezone)


def _naive(moment: datetime) -> datetime:
    return moment.astimezone(timezone.utc).replace(tzinfo=None)


def _aware(moment: datetime) -> datetime:
    return moment.replace(tzinfo=timezone.utc)
