"""Triggers whose slots Janitor finds and counts itself, in place of those that APScheduler makes."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any

from apscheduler.triggers.base import BaseTrigger
from apscheduler.triggers.calendarinterval import CalendarIntervalTrigger
from apscheduler.triggers.combining import AndTrigger, OrTrigger
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.date import DateTrigger
from apscheduler.triggers.interval import IntervalTrigger

from janitor.jobs.cron_lines import require_slots
from janitor.jobs.cron_slots import CronSlots, DateStepSlots
from janitor.jobs.interval_slots import IntervalSlots
from janitor.jobs.schedules import LONGEST_SECONDS, SHORTEST_SECONDS
from janitor.jobs.slots import MOMENT, MOST_STEPS, SlotTrigger, next_slot


class AnyOf(SlotTrigger, OrTrigger):  # type: ignore[misc]  # APScheduler 3 has no annotations
    """An OrTrigger: its slots are those of all its triggers. APScheduler's miscounts intervals among them."""

    __slots__ = ()

    def slot_after(self, after: datetime) -> datetime | None:
        """The first slot later than a moment, in UTC; None if no slot is left."""
        return min(_not_none(next_slot(one, after) for one in self.triggers), default=None)


class AllOf(SlotTrigger, AndTrigger):  # type: ignore[misc]  # APScheduler 3 has no annotations
    """An AndTrigger: its slots are those that all its triggers share. APScheduler's may look for them for ever."""

    __slots__ = ()

    def slot_after(self, after: datetime) -> datetime | None:
        """The first slot later than a moment, in UTC; None if no slot is left, or the triggers share none for long."""
        for _ in range(MOST_STEPS):
            slots = [next_slot(one, after) for one in self.triggers]
            found = list(_not_none(slots))
            if not found or len(found) < len(slots):
                return None
            if min(found) == max(found):
                return found[0]
            after = max(found) - MOMENT
        return None


KINDS = {
    "interval": IntervalTrigger,
    "cron": CronTrigger,
    "date": DateTrigger,
    "calendarinterval": CalendarIntervalTrigger,
}
"""APScheduler's triggers, by the names that `add_job` takes."""
LENGTHS = ("weeks", "days", "hours", "minutes", "seconds")
LENGTH_HELP = f"give a length between {SHORTEST_SECONDS:g} s and ten years, such as minutes=5"


def own(trigger: BaseTrigger) -> BaseTrigger:
    """The trigger that Janitor counts itself, for a trigger of APScheduler's; any other trigger as it is.

    Raises:
        TypeError: it combines what is no trigger.
    """
    kind = type(trigger)
    if kind is CronTrigger:
        return CronSlots(trigger)
    if kind is IntervalTrigger:
        return IntervalSlots(trigger)
    if kind is CalendarIntervalTrigger:
        return DateStepSlots(trigger)
    if kind in (AndTrigger, OrTrigger):
        triggers = list(trigger.triggers)
        if not all(isinstance(one, BaseTrigger) for one in triggers):
            raise TypeError("give triggers to combine")
        return (AllOf if kind is AndTrigger else AnyOf)([own(one) for one in triggers], trigger.jitter)
    return trigger


def make(kind: str | BaseTrigger | None, given: Mapping[str, Any], trigger: Callable[[], BaseTrigger]) -> BaseTrigger:
    """`own(trigger())`, if it can be due; `kind` and `given` are what `add_job` was given to make it of.

    Raises:
        TypeError, ValueError: its slots cannot be told, or come without end.
    """
    if kind == "interval" and not any(given.get(name) for name in LENGTHS):
        raise ValueError(LENGTH_HELP)  # APScheduler would take a second
    made = trigger()
    jitter = getattr(made, "jitter", None)
    if jitter is not None and (isinstance(jitter, bool) or not isinstance(jitter, (int, float)) or not jitter >= 0):
        raise ValueError("give a jitter of 0 seconds or more")
    if isinstance(made, IntervalTrigger) and not SHORTEST_SECONDS <= made.interval_length <= LONGEST_SECONDS:
        raise ValueError(LENGTH_HELP)
    if isinstance(made, CronTrigger) and all(field.is_default for field in made.fields):
        raise ValueError("give a field, such as hour=2")
    found = own(made)
    require_slots(found)
    return found


def _not_none(slots: Iterable[datetime | None]) -> Iterable[datetime]:
    return (slot for slot in slots if slot is not None)
