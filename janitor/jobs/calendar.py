"""A calendar: the wall-clock moments that match a cron line, and how many of them lie between two moments.

    days    1  2  3  4  5  6  7  8  ...      those that match: found a month at a time, and kept
               x           x        x
    times   00:00  06:00  12:00  18:00       each combination of an hour, a minute and a second: a number tells each
              0      1      2      3

It knows no zone and no change of clocks: `cron_slots` does. Nothing here goes through the moments one by one: the times
of a day are counted by their numbers, and the days of a month by their places among those that match.
"""

from bisect import bisect_left
from calendar import monthrange
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, time

from apscheduler.triggers.cron.expressions import (
    AllExpression,
    LastDayOfMonthExpression,
    RangeExpression,
    WeekdayPositionExpression,
)
from apscheduler.triggers.cron.fields import MAX_VALUES, MIN_VALUES, BaseField

LONGEST_WAIT_YEARS = 50
"""No line waits for longer: a 29th of February that is a given weekday comes within 40 years."""


def values(field: BaseField) -> list[int] | None:
    """Every value that a cron field matches; None if they depend on the month."""
    least, most = MIN_VALUES[field.name], MAX_VALUES[field.name]
    found = set[int]()
    for part in field.expressions:
        if isinstance(part, (LastDayOfMonthExpression, WeekdayPositionExpression)):
            return None
        if isinstance(part, RangeExpression):
            last = most if part.last is None else part.last
            found.update(range(part.first, last + 1, part.step or 1))
        elif isinstance(part, AllExpression):
            found.update(range(least, most + 1, part.step or 1))
        else:
            return None
    return sorted(found)


class Times:
    """The times of a day at which a line is due, each with its number, from 0 on."""

    def __init__(self, hours: Sequence[int], minutes: Sequence[int], seconds: Sequence[int]) -> None:
        """Each sequence is in order, and holds one value at least."""
        self.hours, self._minutes, self._seconds = hours, minutes, seconds

    def __len__(self) -> int:
        return len(self.hours) * len(self._minutes) * len(self._seconds)

    def at(self, number: int) -> time:
        """The time of this number."""
        rest, second = divmod(number, len(self._seconds))
        hour, minute = divmod(rest, len(self._minutes))
        return time(self.hours[hour], self._minutes[minute], self._seconds[second])

    def before(self, moment: time) -> int:
        """How many times of a day come before this time of day."""
        count, each = 0, len(self)
        for those, value in (
            (self.hours, moment.hour),
            (self._minutes, moment.minute),
            (self._seconds, moment.second + (1 if moment.microsecond else 0)),
        ):
            each //= len(those)
            place = bisect_left(those, value)
            count += place * each
            if place == len(those) or those[place] != value:
                break
        return count


class Days:
    """The days on which a line is due."""

    def __init__(self, fields: Iterable[BaseField]) -> None:
        """`fields` are those of APScheduler's CronTrigger; all of them must match a day."""
        self._fields = {field.name: field for field in fields}
        self._months = frozenset(values(self._fields["month"]) or ())
        self._years = None if self._any("year") else values(self._fields["year"])
        self._found: dict[tuple[int, int], tuple[int, ...]] = {}

    def of_month(self, year: int, month: int) -> tuple[int, ...]:
        """The days of a month, in order."""
        if (year, month) not in self._found:
            self._found[year, month] = tuple(self._find(year, month))
        return self._found[year, month]

    def has(self, day: date) -> bool:
        """Whether a line is due on this day."""
        return day.day in self.of_month(day.year, day.month)

    def after(self, day: date) -> date | None:
        """The next day; None if none ever comes."""
        for year in self._years_from(day.year):
            for month in range(day.month if year == day.year else 1, 13):
                found = self.of_month(year, month)
                place = bisect_left(found, day.day + 1) if (year, month) == (day.year, day.month) else 0
                if place < len(found):
                    return date(year, month, found[place])
        return None

    def before(self, day: date, since: date) -> date | None:
        """The last day before this day, not before `since`."""
        year, month, found = day.year, day.month, self.of_month(day.year, day.month)
        found = found[: bisect_left(found, day.day)]
        while not found and (year, month) > (since.year, since.month):
            year, month = (year, month - 1) if month > 1 else (year - 1, 12)
            found = self.of_month(year, month)
        return date(year, month, found[-1]) if found and date(year, month, found[-1]) >= since else None

    def between(self, first: date, end: date) -> int:
        """How many days there are from `first` on, before `end`."""
        count, year, month = -bisect_left(self.of_month(first.year, first.month), first.day), first.year, first.month
        while (year, month) < (end.year, end.month):
            count += len(self.of_month(year, month))
            year, month = (year, month + 1) if month < 12 else (year + 1, 1)
        return count + bisect_left(self.of_month(end.year, end.month), end.day)

    def _any(self, name: str) -> bool:
        return str(self._fields[name]) == "*"

    def _years_from(self, year: int) -> Iterable[int]:
        if self._years is None:
            return range(year, min(year + LONGEST_WAIT_YEARS, MAX_VALUES["year"]) + 1)
        return [one for one in self._years if one >= year]

    def _find(self, year: int, month: int) -> Iterator[int]:
        if month not in self._months or (self._years is not None and year not in self._years):
            return
        narrow = [self._fields[name] for name in ("week", "day_of_week") if not self._any(name)]
        for number in self._numbers(year, month):
            day = date(year, month, number)
            if all(field.get_next_value(day) == field.get_value(day) for field in narrow):
                yield number

    def _numbers(self, year: int, month: int) -> Iterator[int]:
        """What the field for the day of the month matches."""
        field, last = self._fields["day"], monthrange(year, month)[1]
        if (fixed := values(field)) is not None:
            yield from (number for number in fixed if number <= last)
            return
        number: int | None = 1
        while number is not None and number <= last:
            number = field.get_next_value(date(year, month, number))
            if number is not None:
                yield number
                number += 1


class Calendar:
    """The wall-clock moments that match a cron line; all moments here are naive."""

    def __init__(self, fields: Iterable[BaseField]) -> None:
        """`fields` are those of APScheduler's CronTrigger."""
        fields = list(fields)
        hours, minutes, seconds = (
            values(next(field for field in fields if field.name == name)) or [] for name in ("hour", "minute", "second")
        )
        self._days, self._times = Days(fields), Times(hours, minutes, seconds)

    @property
    def every_hour(self) -> bool:
        """Whether the line is due in each hour of its days."""
        return len(self._times.hours) == 24

    def first(self, since: datetime) -> datetime | None:
        """The first moment from `since` on; None if none ever comes."""
        day: date | None = since.date()
        number = self._times.before(since.time())
        if day is not None and (number == len(self._times) or not self._days.has(day)):
            day, number = self._days.after(day), 0
        return None if day is None else datetime.combine(day, self._times.at(number))

    def last(self, since: datetime, end: datetime) -> datetime | None:
        """The last moment from `since` on, before `end`; None if there is none."""
        day: date | None = end.date()
        number = self._times.before(end.time())
        if day is not None and (number == 0 or not self._days.has(day)):
            day, number = self._days.before(day, since.date()), len(self._times)
        found = None if day is None else datetime.combine(day, self._times.at(number - 1))
        return found if found is not None and found >= since else None

    def count(self, since: datetime, end: datetime) -> int:
        """How many moments there are from `since` on, before `end`."""
        if since >= end:
            return 0
        whole = self._days.between(since.date(), end.date()) * len(self._times)
        before = self._times.before(since.time()) if self._days.has(since.date()) else 0
        return whole - before + (self._times.before(end.time()) if self._days.has(end.date()) else 0)
