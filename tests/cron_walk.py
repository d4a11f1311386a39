"""When a cron line is due: the rule, worked out by a walk over each minute, without any code of Janitor's."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

MINUTE = timedelta(minutes=1)
NAMES = {name: str(day) for day, name in enumerate(("sun", "mon", "tue", "wed", "thu", "fri", "sat"))}


class Line:
    """Five fields, each as the set of its numbers."""

    def __init__(self, text: str) -> None:
        self.text = text
        minute, hour, day, month, weekday = text.split()
        self.minutes, self.hours = numbers(minute, 0, 59), numbers(hour, 0, 23)
        self.days, self.months, self.weekdays = numbers(day, 1, 31), numbers(month, 1, 12), numbers(weekday, 0, 7)
        self.hourly = len(self.hours) == 24

    def on(self, day: date) -> bool:
        """Whether the line is due on this day."""
        weekday = day.isoweekday()
        return day.day in self.days and day.month in self.months and bool({weekday, weekday % 7} & self.weekdays)

    def at(self, minute_of_day: int) -> bool:
        """Whether the line is due in this minute of its days."""
        return minute_of_day // 60 in self.hours and minute_of_day % 60 in self.minutes


def numbers(field: str, least: int, most: int) -> set[int]:
    """The numbers that a field names."""
    found = set[int]()
    for part in field.split(","):
        part, _, step = part.partition("/")
        first, _, last = part.partition("-")
        first, last = NAMES.get(first, first), NAMES.get(last, last)
        low, high = (least, most) if part == "*" else (int(first), int(last or (most if step else first)))
        found.update(range(low, high + 1, int(step or 1)))
    return found


def walk(lines: Sequence[Line], zone: ZoneInfo, start: datetime, end: datetime) -> list[list[datetime]]:
    """When each line is due in (start, end], in UTC.

    A line is due in each minute that it matches. What comes again counts only for a line that names every hour. What
    spring leaves out is due at the first moment after it; but not for a line that names every hour.
    """
    found: list[list[datetime]] = [[] for _ in lines]
    at_minute = [bits(line.at(minute) for line in lines) for minute in range(1440)]
    on_day: dict[date, int] = {}
    hourly = bits(line.hourly for line in lines)
    at = start.astimezone(UTC).replace(second=0, microsecond=0) - timedelta(days=2)
    highest = at.astimezone(zone).replace(tzinfo=None) - MINUTE

    def matching(wall: datetime) -> int:
        day = wall.date()
        if day not in on_day:
            on_day[day] = bits(line.on(day) for line in lines)
        return at_minute[wall.hour * 60 + wall.minute] & on_day[day]

    while at <= end:
        wall = at.astimezone(zone).replace(tzinfo=None, fold=0)
        due = matching(wall)
        if wall <= highest:
            due &= hourly
        else:
            while (highest := highest + MINUTE) < wall:
                due |= matching(highest) & ~hourly
        if due and at > start:
            for number in ones(due):
                found[number].append(at)
        at += MINUTE
    return found


def bits(flags: Iterable[bool]) -> int:
    """A number whose bits are these flags."""
    return sum(1 << place for place, flag in enumerate(flags) if flag)


def ones(number: int) -> Iterator[int]:
    """The places of the bits that are set."""
    while number:
        low = number & -number
        yield low.bit_length() - 1
        number ^= low


def changes(zone: ZoneInfo, year: int) -> list[datetime]:
    """The minutes of a year, UTC, at which a zone's clocks change."""
    at, found = datetime(year, 1, 1, tzinfo=UTC), []
    while at.year == year:
        following = at + timedelta(hours=1)
        before = at.astimezone(zone).utcoffset()
        if before != following.astimezone(zone).utcoffset():
            minutes = (at + n * MINUTE for n in range(61))
            found.append(next(minute for minute in minutes if minute.astimezone(zone).utcoffset() != before))
        at = following
    return found


def within(slots: Sequence[datetime], after: datetime, until: datetime) -> Sequence[datetime]:
    """The slots later than `after`, up to and including `until`."""
    return slots[bisect_right(slots, after) : bisect_right(slots, until)]
