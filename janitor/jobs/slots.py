"""Slots: the moments at which a schedule is due, and how many lie between two moments.

A `SlotTrigger` answers both by arithmetic, however long the time between is. Triggers that Janitor does not know are
asked for one slot after another, up to a limit.
"""

import random
from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

from apscheduler.triggers.base import BaseTrigger

from janitor.guard import foreign_code

MOMENT = timedelta(microseconds=1)
MOST_STEPS = 10_000
"""How many slots are counted singly if arithmetic cannot count them; a longer stretch is told as at least that many."""


@dataclass(frozen=True)
class Slots:
    """A stretch of consecutive slots; the first and the last belong to it."""

    first_at: datetime
    last_at: datetime
    count: int


class SlotTrigger(BaseTrigger):  # type: ignore[misc]  # APScheduler 3 has no annotations
    """A trigger of APScheduler's clock that finds and counts its slots itself.

    `jitter`, in seconds, delays when the clock acts on a slot, by chance. The slot itself stays where it is.
    """

    __slots__ = ()
    jitter: float | None

    @abstractmethod
    def slot_after(self, after: datetime) -> datetime | None:
        """The first slot later than a moment, in UTC; None if no slot is left."""

    def slots_between(self, after: datetime, until: datetime) -> Slots | None:
        """The slots later than `after`, up to and including `until`; None if there is none.

        They are walked, one by one. A trigger that can count its slots does so.
        """
        return walk(self.slot_after, after, until)

    def get_next_fire_time(self, previous_fire_time: datetime | None, now: datetime) -> datetime | None:
        """When the clock acts next; None if it never does again.

        If several slots have passed since `previous_fire_time`, it is the newest. Whoever acts then counts the others:
        they are never listed one by one.
        """
        slot = self.slot_after(now - MOMENT if previous_fire_time is None else previous_fire_time)
        if slot is None or previous_fire_time is None or slot > now:
            return slot + self._delay(slot) if slot is not None and self.jitter else slot
        passed = self.slots_between(slot, now)
        return slot if passed is None else passed.last_at

    def _delay(self, slot: datetime) -> timedelta:
        following = self.slot_after(slot)
        delay = timedelta(seconds=random.uniform(0, self.jitter or 0))
        return delay if following is None else min(delay, following - slot - MOMENT)


def next_slot(trigger: BaseTrigger, after: datetime) -> datetime | None:
    """The first slot later than a moment, in UTC; None if no slot is left."""
    if isinstance(trigger, SlotTrigger):
        return trigger.slot_after(after)
    slot: datetime | None = trigger.get_next_fire_time(None, after + MOMENT)
    for _ in range(MOST_STEPS):
        if slot is None or slot > after:
            break
        # Some triggers answer the first question with their very first slot, however long ago it was.
        slot = trigger.get_next_fire_time(slot, after + MOMENT)
    return None if slot is None or slot <= after else slot.astimezone(timezone.utc)


def next_slot_if_told(trigger: BaseTrigger, after: datetime) -> datetime | None:
    """As `next_slot`, for what concerns more than this job; None also if the trigger, which may be others', raises."""
    with foreign_code(lambda error: None):
        return next_slot(trigger, after)
    return None


def slots_between(trigger: BaseTrigger, after: datetime, until: datetime) -> Slots | None:
    """The slots later than `after`, up to and including `until`; None if there is none."""
    if isinstance(trigger, SlotTrigger):
        return trigger.slots_between(after, until)
    return walk(lambda moment: next_slot(trigger, moment), after, until)


def slots_acted_on(trigger: BaseTrigger, first: datetime, last: datetime) -> Slots:
    """The slots that the clock acts on, from when it acted first to when it acted last.

    A moment that is no slot stands for itself: a job's first run may be at any moment that its line says.
    """
    if getattr(trigger, "jitter", None):
        first, last = _undelayed(trigger, first), _undelayed(trigger, last)
    later = slots_between(trigger, first, last) if first < last else None
    return Slots(first, last, 1 + (later.count if later else 0))


def walk(slot_after: Callable[[datetime], datetime | None], after: datetime, until: datetime) -> Slots | None:
    """As `slots_between`, one slot after another.

    The count stops at MOST_STEPS; the last slot is found all the same.
    """
    first = slot_after(after)
    if first is None or first > until:
        return None
    last, count = first, 1
    while (slot := slot_after(last)) is not None and slot <= until:
        last, count = slot, count + 1
        if count == MOST_STEPS:
            return Slots(first, _newest(slot_after, last, until), count)
    return Slots(first, last, count)


def _newest(slot_after: Callable[[datetime], datetime | None], last: datetime, until: datetime) -> datetime:
    back = timedelta(seconds=1)
    while last < until - back and ((slot := slot_after(until - back)) is None or slot > until):
        back *= 2
    last = max(last, until - back)
    while (slot := slot_after(last)) is not None and slot <= until:
        last = slot
    return last


def _undelayed(trigger: BaseTrigger, moment: datetime) -> datetime:
    found = slots_between(trigger, moment - timedelta(seconds=trigger.jitter), moment)
    return moment if found is None else found.last_at
