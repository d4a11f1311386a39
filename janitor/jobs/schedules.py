"""Schedules: from the text that people write to triggers of the clock, and back.

every 5m               an interval; its slots are whole multiples since 1970, the same after every restart
cron 0 2 * * *         five crontab fields, read in the schedule's zone; Sunday is 0 and 7
at 2027-01-01T00:00Z   one moment
after                  no slots: the job runs after its dependencies
by hand                no slots: the job runs only if somebody starts it

`plain_schedules` has the other ways to write the first two, such as `@daily` and `02:00`.
"""

import re
from datetime import datetime, timezone, tzinfo
from typing import Any

from apscheduler.triggers.base import BaseTrigger
from apscheduler.triggers.calendarinterval import CalendarIntervalTrigger
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.date import DateTrigger
from apscheduler.triggers.interval import IntervalTrigger

from janitor.errors import BadSetting
from janitor.jobs.clock_changes import clocks_of
from janitor.jobs.cron_lines import cron_line, cron_trigger
from janitor.jobs.interval_slots import IntervalSlots
from janitor.jobs.plain_schedules import hint, plain

EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
HELP = (
    "give 'every' and a number with its unit (every 5m), 'cron' and five fields (cron 0 2 * * *), "
    "a time of day (02:00), 'at' and a moment (at 2027-01-01T00:00Z), 'after' or 'by hand'"
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

    `zone` is the zone of cron fields, of times of day, and of a moment that names no zone.

    Raises:
        BadSetting: the text is no schedule; the error carries `name`.
    """
    said = " ".join(plain(text.strip()).split())
    if said.lower() in (AFTER, BY_HAND):
        return Unscheduled(said.lower())
    kind, _, rest = said.partition(" ")
    try:
        match kind.lower():
            case "every":
                return every(_seconds(rest))
            case "at":
                return DateTrigger(_moment(rest, zone))
            case "cron":
                return cron_trigger(rest, zone)
    except ValueError as exc:
        raise BadSetting(name, text, hint(text) or str(exc)) from exc
    raise BadSetting(name, text, hint(text) or HELP)


def every(seconds: float) -> IntervalSlots:
    """A trigger whose slots are whole multiples of an interval since 1970: the same after every restart."""
    return IntervalSlots(IntervalTrigger(seconds=seconds, start_date=EPOCH, timezone=timezone.utc))


def align(trigger: BaseTrigger | str | None, arguments: dict[str, Any]) -> dict[str, Any]:
    """APScheduler's arguments for a trigger; an interval begins in 1970, unless they name another start."""
    if "start_date" in arguments:
        return arguments
    if trigger == "interval":
        return {"timezone": timezone.utc, **arguments, "start_date": EPOCH}
    return {**arguments, "start_date": EPOCH.date()} if trigger == "calendarinterval" else arguments


def describe(trigger: BaseTrigger) -> str:
    """A trigger as the text that `parse` takes; other kinds of triggers as they show themselves."""
    if isinstance(trigger, IntervalTrigger):
        seconds = trigger.interval.total_seconds()
        unit = next((unit for unit in "dhm" if seconds % UNITS[unit] == 0), "s")
        number = f"{seconds / UNITS[unit]:.6f}".rstrip("0").rstrip(".")
        return f"every {number}{unit}"
    if isinstance(trigger, CronTrigger):
        return f"cron {cron_line(trigger)}"
    if isinstance(trigger, CalendarIntervalTrigger):
        return f"calendar interval of {repr(trigger).partition('(')[2].removesuffix(')')}"
    if isinstance(trigger, DateTrigger):
        return f"at {trigger.run_date.isoformat()}"
    return str(trigger)


def _moment(text: str, zone: tzinfo) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as exc:
        raise ValueError(HELP) from exc
    return moment if moment.tzinfo is not None else clocks_of(zone).first(moment).astimezone(zone)


def _seconds(text: str) -> float:
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([smhd])", text.lower())
    if match is None:
        raise ValueError(HELP)
    seconds = float(match[1]) * UNITS[match[2]]
    if not SHORTEST_SECONDS <= seconds <= LONGEST_SECONDS:
        raise ValueError(f"give an interval between {SHORTEST_SECONDS:g} s and ten years")
    return seconds
