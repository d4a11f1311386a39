"""When a schedule is due around a change of clocks: the rule, worked out without APScheduler."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from apscheduler.triggers.base import BaseTrigger
from apscheduler.triggers.interval import IntervalTrigger

from janitor.jobs import schedules

MINUTE = timedelta(minutes=1)


def changes(zone: ZoneInfo, year: int) -> list[datetime]:
    """Return the minutes of a year, UTC, at which a zone's clocks change."""
    at, found = datetime(year, 1, 1, tzinfo=UTC), []
    while at.year == year:
        following = at + timedelta(hours=1)
        if at.astimezone(zone).utcoffset() != following.astimezone(zone).utcoffset():
            before = at.astimezone(zone).utcoffset()
            found.append(
                next(m for m in (at + n * MINUTE for n in range(61)) if m.astimezone(zone).utcoffset() != before)
            )
        at = following
    return found


def due(trigger: BaseTrigger, zone: ZoneInfo, start: datetime, end: datetime) -> list[datetime]:
    """Return when a schedule is due in (start, end]: the rule, without APScheduler, minute by minute.

    A time of day that comes twice is due twice. If a time of day is left out, it is due as much later as the clocks
    were put on; but not if the schedule names every hour: then the next hour comes anyway.
    """
    if isinstance(trigger, IntervalTrigger):
        seconds, first = int(trigger.interval.total_seconds()), int(start.timestamp()) + 1
        every = range(first, int(end.timestamp()) + 1)
        return [datetime.fromtimestamp(second, UTC) for second in every if second % seconds == 0]
    found = set()
    at = start.replace(second=0, microsecond=0)
    while at <= end:
        if matches(trigger, at.astimezone(zone)):
            found.add(at)
        at += MINUTE
    wall = start.astimezone(zone).replace(tzinfo=None, second=0, microsecond=0)
    hourly = schedules.describe(trigger).split()[2] == "*"
    while not hourly and wall <= end.astimezone(zone).replace(tzinfo=None):
        local = wall.replace(tzinfo=zone)
        if local.astimezone(UTC).astimezone(zone).replace(tzinfo=None) != wall and matches(trigger, local):
            found.add(local.astimezone(UTC))
        wall += MINUTE
    return sorted(at for at in found if start < at <= end)


def matches(trigger: Any, local: datetime) -> bool:
    """Whether the five fields of a cron schedule name this time of day."""
    numbers = (local.minute, local.hour, local.day, local.month, local.isoweekday() % 7)
    fields = schedules.describe(trigger).split()[1:]
    return all(number in named(field) for number, field in zip(numbers, fields, strict=True))


def named(field: str) -> set[int]:
    """Return the numbers that a field of the tests' schedules names."""
    if field == "sun":
        return {0}
    if field.startswith("*"):
        return set(range(0, 60, int(field.partition("/")[2] or 1)))
    first, _, last = field.partition("-")
    return set(range(int(first), int(last or first) + 1))
