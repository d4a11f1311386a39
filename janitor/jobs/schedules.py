"""Schedules: from words to triggers and back, and which slots lie between two moments."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone, tzinfo
from typing import Any

from apscheduler.triggers.base import BaseTrigger
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.date import DateTrigger
from apscheduler.triggers.interval import IntervalTrigger

from janitor.errors import BadSetting

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
MOST_SLOTS = 100_000
"""How many slots are counted one by one; a longer stretch is told as at least that many."""
PUT_OFF = timedelta(hours=3)
"""How long after its time on the wall a slot may come that clocks going forward put off: more than any zone does."""


class Unscheduled(BaseTrigger):  # type: ignore[misc]  # APScheduler 3 has no annotations
    """A trigger without slots: the job runs `after` its dependencies, or `by hand` alone."""

    __slots__ = ("words",)

    def __init__(self, words: str) -> None:
        self.words = words

    def get_next_fire_time(self, previous_fire_time: datetime | None, now: datetime) -> None:
        """None: no slot is ever due."""

    def __str__(self) -> str:
        return self.words


@dataclass(frozen=True)
class Slots:
    """A stretch of consecutive slots, first and last included."""

    first_at: datetime
    last_at: datetime
    count: int


def parse(text: str, zone: tzinfo, name: str) -> BaseTrigger:
    """The trigger for `every 5m`, `cron 0 2 * * *`, `at 2027-01-01T00:00Z`, `after` or `by hand`.

    Cron's fields, and a moment without a zone, are read in `zone`; Sunday is weekday 0, and 7.

    Raises:
        BadSetting: the text is none of them; the error carries `name`.
    """
    kind, _, rest = text.strip().partition(" ")
    if text.strip().lower() in (AFTER, BY_HAND):
        return Unscheduled(text.strip().lower())
    if kind.lower() == "every":
        return every(_seconds(rest, text, name))
    if kind.lower() == "at":
        return DateTrigger(_moment(rest, text, name, zone))
    fields = rest.split()
    if kind.lower() != "cron" or len(fields) != 5:
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
    """A trigger whose slots are whole multiples of an interval since 1970, the same after every restart."""
    return IntervalTrigger(seconds=seconds, start_date=EPOCH, timezone=timezone.utc)


def align(trigger: BaseTrigger | str | None, arguments: dict[str, Any]) -> dict[str, Any]:
    """APScheduler's arguments for an interval, begun at 1970 where they do not say otherwise."""
    if trigger == "interval" and "start_date" not in arguments:
        return {"timezone": timezone.utc} | arguments | {"start_date": EPOCH}
    return arguments


def describe(trigger: BaseTrigger) -> str:
    """A trigger in the words that `parse` takes, as far as it can be said in them."""
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


def next_slot(trigger: BaseTrigger, after: datetime) -> datetime | None:
    """The first slot later than a moment; None where there is none any more."""
    if isinstance(trigger, IntervalTrigger):
        return _next_multiple(trigger, after)
    slot: datetime | None = trigger.get_next_fire_time(None, _begin(trigger, after) + timedelta(microseconds=1))
    while slot is not None and slot <= after:
        if not isinstance(trigger, CronTrigger):
            return None  # a date's trigger gives its one moment whenever it is asked first, also long after it
        slot = trigger.get_next_fire_time(None, slot + timedelta(microseconds=1))
    return None if slot is None else slot.astimezone(timezone.utc)


def _begin(trigger: BaseTrigger, after: datetime) -> datetime:
    # Just after clocks went forward a slot of the hour left out may still be to come; asked only now, APScheduler
    # would not know of it.
    before = after - PUT_OFF
    if isinstance(trigger, CronTrigger) and _offset(trigger, before) < _offset(trigger, after):
        return before
    return after


def _offset(trigger: CronTrigger, moment: datetime) -> timedelta:
    return moment.astimezone(trigger.timezone).utcoffset() or timedelta()


def slots_between(trigger: BaseTrigger, after: datetime, until: datetime) -> Slots | None:
    """The slots later than `after` and not later than `until`; None where there is none."""
    first = next_slot(trigger, after)
    if first is None or first > until:
        return None
    if isinstance(trigger, IntervalTrigger):
        count = (min(until, trigger.end_date or until) - first) // trigger.interval
        return Slots(first, first + count * trigger.interval, count + 1)
    last, count = first, 1
    while (slot := next_slot(trigger, last)) is not None and slot <= until and count < MOST_SLOTS:
        last, count = slot, count + 1
    return Slots(first, last, count)


def _next_multiple(trigger: IntervalTrigger, after: datetime) -> datetime | None:
    # In whole microseconds: APScheduler's sum of floats may miss a slot by one.
    start: datetime = trigger.start_date
    passed = (after - start) // trigger.interval + 1
    slot = (start + max(0, passed) * trigger.interval).astimezone(timezone.utc)
    return slot if trigger.end_date is None or slot <= trigger.end_date else None


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
    """Crontab's weekdays as names: APScheduler counts from Monday, crontab from Sunday."""
    return field if field == "*" else ",".join(dict.fromkeys(",".join(map(_weekday, field.split(","))).split(",")))


def _weekday(part: str) -> str:
    match = re.fullmatch(r"(?:(\d)(?:-(\d))?|\*)(?:/(\d+))?", part)
    if match is None:
        return part
    first, last, step = match.groups()
    top = int(last) if last else (6 if step or first is None else int(first))
    if not int(first or 0) <= top <= 7 or step == "0":
        raise ValueError(f"{part!r} is not a weekday, nor a range of them")
    return ",".join(DAYS[day] for day in range(int(first or 0), top + 1, int(step or 1)))


def _describe_cron(trigger: CronTrigger) -> str:
    fields = {field.name: str(field) for field in trigger.fields}
    if fields["year"] == "*" and fields["week"] == "*" and fields["second"] == "0":
        order = ("minute", "hour", "day", "month", "day_of_week")
        return "cron " + " ".join(fields[name] for name in order)
    return "cron " + " ".join(f"{field.name}={field}" for field in trigger.fields if not field.is_default)
