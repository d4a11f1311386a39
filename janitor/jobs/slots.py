"""Slots: the moments at which a schedule is due, and how many lie between two moments."""

from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

from apscheduler.triggers.base import BaseTrigger
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.interval import IntervalTrigger

MOST_SLOTS = 100_000
"""How many slots are counted singly; a longer stretch is told as at least that many."""
PUT_OFF = timedelta(hours=3)
"""Clocks that go forward may put a slot off. This is more than any zone puts a slot off."""


@dataclass(frozen=True)
class Slots:
    """A stretch of consecutive slots; the first and the last belong to it."""

    first_at: datetime
    last_at: datetime
    count: int


def next_slot(trigger: BaseTrigger, after: datetime) -> datetime | None:
    """The first slot later than a moment; None if no slot is left."""
    if isinstance(trigger, IntervalTrigger):
        return _next_multiple(trigger, after)
    slot: datetime | None = trigger.get_next_fire_time(None, _look_from(trigger, after) + timedelta(microseconds=1))
    while slot is not None and slot <= after:
        if not isinstance(trigger, CronTrigger):
            return None  # a date's trigger gives its one moment at the first question, however late that comes
        slot = trigger.get_next_fire_time(None, slot + timedelta(microseconds=1))
    return None if slot is None else slot.astimezone(timezone.utc)


def _look_from(trigger: BaseTrigger, after: datetime) -> datetime:
    # Clocks that go forward leave an hour out. Its slots come just after it, but APScheduler only knows of them if
    # it is asked for the slots from before that hour on.
    before = after - PUT_OFF
    if isinstance(trigger, CronTrigger) and _offset(trigger, before) < _offset(trigger, after):
        return before
    return after


def _offset(trigger: CronTrigger, moment: datetime) -> timedelta:
    return moment.astimezone(trigger.timezone).utcoffset() or timedelta()


def slots_between(trigger: BaseTrigger, after: datetime, until: datetime) -> Slots | None:
    """The slots later than `after`, up to and including `until`; None if there is none."""
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
    # In whole microseconds: APScheduler adds floats, and may miss a slot by a microsecond.
    start: datetime = trigger.start_date
    passed = (after - start) // trigger.interval + 1
    slot = (start + max(0, passed) * trigger.interval).astimezone(timezone.utc)
    return slot if trigger.end_date is None or slot <= trigger.end_date else None
