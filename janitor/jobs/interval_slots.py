"""The slots of an interval: a first moment, and whole multiples of the interval after it."""

from datetime import datetime, timedelta, timezone

from apscheduler.triggers.interval import IntervalTrigger

from janitor.jobs.slots import Slots, SlotTrigger


class IntervalSlots(SlotTrigger, IntervalTrigger):  # type: ignore[misc]  # APScheduler 3 has no annotations
    """An IntervalTrigger that counts in whole microseconds: APScheduler adds floats, and may miss a slot by one."""

    __slots__ = ()

    def __init__(self, trigger: IntervalTrigger) -> None:
        """Take over all that an IntervalTrigger says: its interval, first and last moment, and jitter."""
        self.__setstate__(trigger.__getstate__())

    def slot_after(self, after: datetime) -> datetime | None:
        """The first slot later than a moment, in UTC; None if no slot is left."""
        start: datetime = self.start_date.astimezone(timezone.utc)
        interval: timedelta = self.interval
        passed = (after - start) // interval + 1
        slot = start + max(0, passed) * interval
        return slot if self.end_date is None or slot <= self.end_date else None

    def slots_between(self, after: datetime, until: datetime) -> Slots | None:
        """The slots later than `after`, up to and including `until`; None if there is none."""
        first = self.slot_after(after)
        if first is None or first > until:
            return None
        last = until if self.end_date is None else min(until, self.end_date)
        count: int = (last - first) // self.interval
        return Slots(first, first + count * self.interval, count + 1)
