"""Identities: what tells a schedule from every other, as it is remembered between starts.

cron 0 14 * * * in Europe/London    its fields, and the zone of its times of day
every 1d from 02:00:00              an interval, and how far behind the whole multiples since 1970 its slots lie
at 2027-01-01T00:00:00+00:00        its moment, in UTC
or[every 5m, cron 0 2 * * * in UTC] the identities of all its parts

Two schedules with the same slots are one, however they are written: `*/30` is `0,30`, and a zone may have two names.
Jitter, and the first and the last moment of a schedule, move no slot: they do not count.
"""

import functools
import hashlib
import re
import zoneinfo
from collections.abc import Sequence
from datetime import timedelta, timezone
from importlib import resources
from pathlib import Path

from apscheduler.triggers.base import BaseTrigger
from apscheduler.triggers.calendarinterval import CalendarIntervalTrigger
from apscheduler.triggers.combining import AndTrigger, OrTrigger
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.cron.expressions import (
    AllExpression,
    MonthRangeExpression,
    RangeExpression,
    WeekdayRangeExpression,
)
from apscheduler.triggers.cron.fields import MAX_VALUES, MIN_VALUES, BaseField
from apscheduler.triggers.date import DateTrigger
from apscheduler.triggers.interval import IntervalTrigger

from janitor.jobs.cron_lines import FIELDS, FROM_MONDAY
from janitor.jobs.schedules import EPOCH, describe

LONGEST = 255
"""What the state database holds of a schedule, in characters."""
_IN_ZONE = " in "
_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")
_NUMBERED = (AllExpression, RangeExpression, WeekdayRangeExpression, MonthRangeExpression)
"""What stands for a set of numbers in a field; others, such as `2nd mon`, stand for themselves."""


def identity(trigger: BaseTrigger) -> str:
    """What tells a trigger's slots from those of every other."""
    return _cut(_whole(trigger))


def is_same(known: str, trigger: BaseTrigger) -> bool:
    """Whether a trigger has the schedule that was remembered as `known`.

    Releases before 0.2 remembered the words alone. They count as the same, but for an interval: `every 1d` may be that
    of another beginning.
    """
    now, said = identity(trigger), describe(trigger)
    if known == now or (known in (said, _cut(said)) and not isinstance(trigger, IntervalTrigger)):
        return True
    words, _, zone = known.rpartition(_IN_ZONE)
    new_words, _, new_zone = now.rpartition(_IN_ZONE)
    return bool(words) and words == new_words and _are_one_zone(zone, new_zone)


def _whole(trigger: BaseTrigger) -> str:
    if isinstance(trigger, CronTrigger):
        fields = [(field.name, _values(field)) for field in trigger.fields]
        return f"cron {_line(fields)}{_IN_ZONE}{trigger.timezone}"
    if isinstance(trigger, CalendarIntervalTrigger):
        return f"{describe(trigger)}{_IN_ZONE}{trigger.timezone}"
    if isinstance(trigger, IntervalTrigger):
        behind: timedelta = (trigger.start_date.astimezone(timezone.utc) - EPOCH) % trigger.interval
        return f"{describe(trigger)} from {behind}" if behind else describe(trigger)
    if isinstance(trigger, DateTrigger):
        return f"at {trigger.run_date.astimezone(timezone.utc).isoformat()}"
    if isinstance(trigger, (AndTrigger, OrTrigger)):
        kind = "and" if isinstance(trigger, AndTrigger) else "or"
        return f"{kind}[{', '.join(map(_whole, trigger.triggers))}]"
    # Where an object lies in memory tells nothing of its slots.
    return _ADDRESS.sub("", describe(trigger))


def _line(fields: Sequence[tuple[str, str]]) -> str:
    """The fields as five of a crontab, if they can say the same; else by name."""
    named = dict(fields)
    plain = (named.pop("year"), named.pop("week"), named.pop("second"))
    if plain == ("*", "*", "0"):
        return " ".join(named[name] for name in FIELDS)
    return " ".join(f"{name}={text}" for name, text in fields)


def _values(field: BaseField) -> str:
    """A field's numbers in order, `*` if it has all; what is no number stays as it is."""
    if field.name == "year" or not all(type(one) in _NUMBERED for one in field.expressions):
        return str(field)
    least, most = MIN_VALUES[field.name], MAX_VALUES[field.name]
    found = {number for one in field.expressions for number in _numbers(one, least, most)}
    if len(found) == most - least + 1:
        return "*"
    return ",".join(FROM_MONDAY[number] if field.name == "day_of_week" else str(number) for number in sorted(found))


def _numbers(part: AllExpression, least: int, most: int) -> range:
    first, last = getattr(part, "first", None), getattr(part, "last", None)
    return range(least if first is None else first, (most if last is None else last) + 1, part.step or 1)


def _cut(words: str) -> str:
    if len(words) <= LONGEST:
        return words
    return f"{words[: LONGEST - 33]} {hashlib.blake2b(words.encode(), digest_size=16).hexdigest()}"


@functools.lru_cache(maxsize=64)
def _are_one_zone(one: str, other: str) -> bool:
    """Whether two names stand for one zone, such as US/Eastern and America/New_York."""
    data = _data_of(one)
    return data is not None and data == _data_of(other)


def _data_of(zone: str) -> bytes | None:
    """What the tz database has of a zone; None if it has no such zone."""
    try:
        zoneinfo.ZoneInfo(zone)
    except (ValueError, OSError, zoneinfo.ZoneInfoNotFoundError):  # also for what is no name of a zone
        return None
    found = next((file for folder in zoneinfo.TZPATH if (file := Path(folder, zone)).is_file()), None)
    if found is not None:
        return found.read_bytes()
    package, _, name = f"tzdata/zoneinfo/{zone}".rpartition("/")
    return resources.files(package.replace("/", ".")).joinpath(name).read_bytes()
