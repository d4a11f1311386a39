"""Schedules: from the text that people write to APScheduler's triggers, and back.

every 5m               an interval; its slots are whole multiples since 1970, the same after every restart
cron 0 2 * * *         five crontab fields, read in the schedule's zone; Sunday is 0 and 7
at 2027-01-01T00:00Z   one moment
after                  no slots: the job runs after its dependencies
by hand                no slots: the job runs only if somebody starts it
"""

import re
from datetime import datetime, timezone, tzinfo
from typing import Any

from apscheduler.triggers.base import BaseTrigger
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.date import DateTrigger
from apscheduler.triggers.interval import IntervalTrigger

from janitor.errors import BadSetting
from janitor.jobs.slots import next_slot

EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat", "sun")
HELP = (
    "give 'every' and a number with s, m, h or d, such as 'every 5m', "
    "'cron' and five fields, such as 'cron 0 2 * * *', 'at' and a moment, such as 'at 2027-01-01T00:00Z', "
    "'after' to run after its dependencies, or 'by hand'"
)
AFTER, BY_HAND = "after", "by hand"
SHORTEST_SECONDS = 0.05
LONGEST_SECONDS = 10 * 365 * 86400.0


class Unscheduled(BaseTrigger):  # type: ignore[misc]  # APScheduler 3 has no annotations
    """A trigger without slots: the job runs `after` its dependencies, or `by hand` alone."""

    __slots__ = ("words",)

    def __init__(self, words: str) -> None:
        self.words = words

    def get_next_fire_time(self, previous_fire_time: datetime | None, now: datetime) -> None:
        """None: no slot is ever due."""

    def __str__(self) -> str:
        return self.words


def parse(text: str, zone: tzinfo, name: str) -> BaseTrigger:
    """The trigger for a schedule's text.

    `zone` is the zone of cron fields, and of a moment that names no zone.

    Raises:
        BadSetting: the text is no schedule; the error carries `name`.
    """
    kind, _, rest = text.strip().partition(" ")
    if text.strip().lower() in (AFTER, BY_HAND):
        return Unscheduled(text.strip().lower())
    if kind.lower() == "every":
        return every(_seconds(rest, text, name))
    if kind.lower() == "at":
        return DateTrigger(_moment(rest, text, name, zone))
    if kind.lower() != "cron":
        raise BadSetting(name, text, HELP)
    return _cron(rest.split(), text, zone, name)


def _cron(fields: list[str], text: str, zone: tzinfo, name: str) -> CronTrigger:
    if len(fields) != 5:
        raise BadSetting(name, text, HELP)
    minute, hour, day, month, weekday = fields
    if day != "*" and weekday != "*":
        raise BadSetting(name, text, "give either a day of the month or a weekday, and '*' for the other")
    try:
        trigger = CronTrigger(
            minute=minute, hour=hour, day=day, month=month, day_of_week=_weekdays(weekday), timezone=zone
        )
    except ValueError as exc:
        raise BadSetting(name, text, f"{exc}; {HELP}") from exc
    if next_slot(trigger, EPOCH) is None:
        raise BadSetting(name, text, "give a day that some month has: this one never comes")
    return trigger


def every(seconds: float) -> IntervalTrigger:
    """A trigger whose slots are whole multiples of an interval since 1970: the same after every restart."""
    return IntervalTrigger(seconds=seconds, start_date=EPOCH, timezone=timezone.utc)


def align(trigger: BaseTrigger | str | None, arguments: dict[str, Any]) -> dict[str, Any]:
    """APScheduler's arguments for a trigger; an interval begins in 1970, unless they name another start."""
    if trigger == "interval" and "start_date" not in arguments:
        return {"timezone": timezone.utc} | arguments | {"start_date": EPOCH}
    return arguments


def describe(trigger: BaseTrigger) -> str:
    """A trigger as the text that `parse` takes; other kinds of triggers as they show themselves."""
    if isinstance(trigger, IntervalTrigger):
        seconds = trigger.interval.total_seconds()
        unit = next((unit for unit in "dhm" if seconds % UNITS[unit] == 0), "s")
        number = f"{seconds / UNITS[unit]:.6f}".rstrip("0").rstrip(".")
        return f"every {number}{unit}"
    if isinstance(trigger, CronTrigger):
        return _describe_cron(trigger)
    if isinstance(trigger, DateTrigger):
        return f"at {trigger.run_date.isoformat()}"
    return str(trigger)


def _moment(text: str, whole: str, name: str, zone: tzinfo) -> datetime:
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError as exc:
        raise BadSetting(name, whole, HELP) from exc
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=zone)


def _seconds(text: str, whole: str, name: str) -> float:
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([smhd])", text.strip().lower())
    if match is None:
        raise BadSetting(name, whole, HELP)
    seconds = float(match[1]) * UNITS[match[2]]
    if not SHORTEST_SECONDS <= seconds <= LONGEST_SECONDS:
        raise BadSetting(name, whole, f"give an interval between {SHORTEST_SECONDS:g} s and ten years; {HELP}")
    return seconds


def _weekdays(field: str) -> str:
    """Crontab's weekdays as names: crontab counts from Sunday, APScheduler from Monday."""
    return field if field == "*" else ",".join(dict.fromkeys(",".join(map(_weekday, field.split(","))).split(",")))


def _weekday(part: str) -> str:
    match = re.fullmatch(r"(?:(\d)(?:-(\d))?|\*)(?:/(\d+))?", part)
    if match is None:
        return part
    first, last, step = match.groups()
    top = int(last) if last else (6 if step or first is None else int(first))
    if not int(first or 0) <= top <= 7 or step == "0":
        raise ValueError(f"{part!r} is neither a weekday nor a range of weekdays")
    return ",".join(DAYS[day] for day in range(int(first or 0), top + 1, int(step or 1)))


def _describe_cron(trigger: CronTrigger) -> str:
    fields = {field.name: str(field) for field in trigger.fields}
    if fields["year"] == "*" and fields["week"] == "*" and fields["second"] == "0":
        order = ("minute", "hour", "day", "month", "day_of_week")
        return "cron " + " ".join(fields[name] for name in order)
    return "cron " + " ".join(f"{field.name}={field}" for field in trigger.fields if not field.is_default)
