"""A calendar of steps from date to date, such as every month or every three days, at one time of day.

The rule is that of APScheduler's CalendarIntervalTrigger: months are added to a date, again and again until there is
such a day, then weeks and days. So each date depends on the date before. The dates are worked out once, and kept.
"""

import threading
from bisect import bisect_left
from datetime import MAXYEAR, date, datetime, timedelta

from apscheduler.triggers.calendarinterval import CalendarIntervalTrigger


class DateSteps:
    """The moments of such a calendar; all moments here are naive."""

    every_hour = False

    def __init__(self, trigger: CalendarIntervalTrigger) -> None:
        """`trigger` has the steps, the time of day, and the first and last date."""
        state = trigger.__getstate__()
        years, months, weeks, days = state["interval"]
        self._months, self._days = 12 * years + months, 7 * weeks + days
        self._last: date | None = trigger.end_date
        hour, minute, second = state["time"]
        self._time = timedelta(hours=hour, minutes=minute, seconds=second)
        self._moments: list[datetime] = []
        self._next: date | None = trigger.start_date
        self._steps = threading.Lock()

    def first(self, since: datetime) -> datetime | None:
        """The first moment from `since` on; None if none ever comes."""
        self._step_to(since)
        place = bisect_left(self._moments, since)
        return self._moments[place] if place < len(self._moments) else None

    def last(self, since: datetime, end: datetime) -> datetime | None:
        """The last moment from `since` on, before `end`; None if there is none."""
        self._step_to(end)
        place = bisect_left(self._moments, end) - 1
        return self._moments[place] if place >= 0 and self._moments[place] >= since else None

    def count(self, since: datetime, end: datetime) -> int:
        """How many moments there are from `since` on, before `end`."""
        self._step_to(end)
        return max(0, bisect_left(self._moments, end) - bisect_left(self._moments, since))

    def _step_to(self, moment: datetime) -> None:
        """Work out the dates up to the first moment that is not earlier; any thread may ask."""
        with self._steps:
            self._step_while_before(moment)

    def _step_while_before(self, moment: datetime) -> None:
        while self._next is not None and not (self._moments and self._moments[-1] >= moment):
            if self._last is not None and self._next > self._last:
                self._next = None
                return
            self._moments.append(datetime(self._next.year, self._next.month, self._next.day) + self._time)
            self._next = self._after(self._next)

    def _after(self, day: date) -> date | None:
        year, month = day.year, day.month
        while True:
            year, month = year + (month - 1 + self._months) // 12, (month - 1 + self._months) % 12 + 1
            if year >= MAXYEAR:
                return None
            try:
                return date(year, month, day.day) + timedelta(days=self._days)
            except ValueError:
                continue  # there is no such day
