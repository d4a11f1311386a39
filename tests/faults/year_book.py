"""What must be on record at the end of a simulated year: each slot once, of the times in which a job was there.

    a job is there        ├──────────────────────┤            ├───────────>   between: it owes nothing
    must have an outcome     ○     ○     ○     ○                 ○     ○       each exactly once

A time begins when a daemon counts slots with the job, and ends when a daemon was last seen alive with it.

Near a moment at which a clock was set, or at which a daemon counted by another clock, a daemon and the test may differ
by minutes: if the job changed there, a slot may have an outcome or not. It never has two.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from apscheduler.triggers.base import BaseTrigger
from sqlalchemy import Row

from janitor.engine.catching_up import AHEAD, newest_slot
from janitor.jobs import Job
from janitor.jobs.slots import MOMENT, Slots, next_slot, slots_between
from janitor.runs import Fence
from janitor.state.run_records import SCHEDULE

SLACK = AHEAD + timedelta(minutes=1)
LATE = timedelta(seconds=61)
"""So much time may pass between two ticks."""


@dataclass
class There:
    """A time in which a job was there with one schedule; `until` is None while it is."""

    trigger: BaseTrigger
    identity: str
    since: datetime
    until: datetime | None = None
    first_at: datetime | None = None
    """The newest slot of a job that was new, which may run at once."""


@dataclass
class YearBook:
    """Notes when each job was there, as the daemons that led counted."""

    times: dict[str, list[There]] = field(default_factory=lambda: defaultdict(list))
    last_at: datetime | None = None
    """When a daemon that led was last seen alive, by the time that it counts by."""
    doubtful: list[tuple[datetime, datetime]] = field(default_factory=list)
    leaders: list[Fence | None] = field(default_factory=list)
    """Under which leases daemons came to lead, the newest last."""

    def alive(self, fence: Fence | None, now: datetime) -> None:
        """A daemon goes on at this moment; it counts only if it leads."""
        if self.leaders and fence == self.leaders[-1]:
            self.last_at = now

    def counted(self, fence: Fence | None, jobs: Mapping[str, Job], now: datetime, *, died: bool = False) -> None:
        """A daemon has counted its slots: it came to lead, its jobs were replaced, or the time leapt.

        If it `died` over that, the next daemon owes them, unless the job is gone by then.
        """
        if not self.leaders or self.leaders[-1] != fence:
            self.leaders.append(fence)
        ended = min(self.last_at or now, now)
        for name, times in self.times.items():
            for one in times:
                if one.until is None and one.since > now:
                    # The clock was set back: the slots come again.
                    one.since = now
            if times[-1].until is None and (name not in jobs or jobs[name].identity != times[-1].identity):
                times[-1].until = max(ended, times[-1].since)
        for name, job in jobs.items():
            if not self.times[name] or self.times[name][-1].until is not None:
                first_at = None if self.times[name] else newest_slot(job, now)
                self.times[name].append(There(job.trigger, job.identity, now, first_at=first_at))
        if died:
            self.doubt(ended, now)
        else:
            self.last_at = now

    def renamed(self, old: str, new: str) -> None:
        """What is kept of a job has become another job's."""
        before, after = self.times.pop(old, []), self.times.pop(new, [])
        self.times[new] = [*before, *after]

    def doubt(self, *moments: datetime) -> None:
        """A clock went from one of these moments to the others; it is noticed at the latest hours later."""
        self.doubtful.append((min(moments) - SLACK, max(moments) + timedelta(hours=3)))

    def check(self, name: str, rows: Sequence[Row[Any]]) -> Counter[str]:
        """Compare a job's records with what must be there; how many slots have each outcome."""
        outcomes: Counter[str] = Counter()
        covered: Counter[datetime] = Counter()
        for row in rows:
            assert row.outcome is not None, row
            if row.slot_at is not None:
                covered.update(self._slots_of(name, row))
                outcomes[row.outcome] += row.slots
        twice = [at for at, count in covered.items() if count > 1]
        assert not twice, f"{name}: slots with two outcomes: {twice[:5]}"
        must, may = self._expected(name)
        lost = sorted(must - covered.keys())
        assert not lost, f"{name}: {len(lost)} slots without an outcome: {lost[:5]}; {self._near(name, lost[0])}"
        more = sorted(covered.keys() - may)
        assert not more, f"{name}: {len(more)} slots that it does not owe: {more[:5]}; {self._near(name, more[0])}"
        return outcomes

    def _slots_of(self, name: str, row: Row[Any]) -> Sequence[datetime]:
        """The slots of a record, which came in time if the clock ran them."""
        times = self.times[name]
        slots = next((found for one in times if (found := stretch(one.trigger, row))), None)
        assert slots is not None, f"{name}: no schedule of it has these slots: {row}"
        if row.origin == SCHEDULE and row.attempts and not self._is_doubtful(row.slot_at):
            in_time = abs(row.started_at - row.slot_at) <= LATE or row.slot_at in [one.first_at for one in times]
            assert in_time, f"{name}: it ran at a wrong time: {row}"
        return slots

    def _expected(self, name: str) -> tuple[set[datetime], set[datetime]]:
        """The slots of a job that must have an outcome, and those that may have an outcome."""
        must, may = set[datetime](), set[datetime]()
        for one in self.times[name]:
            until = one.until or self.last_at or one.since
            owed = all_slots(one.trigger, one.since, until)
            must.update(owed)
            may.update(owed, filter(None, [one.first_at]))
        for one in self.times[name]:
            for after, before in self._doubts_of(one):
                unsure = all_slots(one.trigger, after, before)
                must.difference_update(unsure)
                may.update(unsure)
        return must, may

    def _doubts_of(self, one: There) -> Iterator[tuple[datetime, datetime]]:
        for after, before in self.doubtful:
            if any(after <= moment <= before for moment in (one.since, one.until) if moment is not None):
                yield after, before

    def _is_doubtful(self, moment: datetime) -> bool:
        return any(after <= moment <= before for after, before in self.doubtful)

    def _near(self, name: str, at: datetime) -> str:
        """Describe what was known of a job around a moment, for whoever looks for a mistake."""
        day = timedelta(days=2)
        return "; ".join(
            f"{one.identity} {one.since} to {one.until}"
            for one in self.times[name]
            if one.since - day < at and (one.until is None or at < one.until + day)
        )


def stretch(trigger: BaseTrigger, row: Row[Any]) -> list[datetime]:
    """Return the slots of a record, if they are consecutive slots of a trigger; an empty list if they are not."""
    found = slots_between(trigger, row.slot_at - MOMENT, row.slot_until_at)
    if found != Slots(row.slot_at, row.slot_until_at, row.slots):
        return []
    return all_slots(trigger, row.slot_at - MOMENT, row.slot_until_at)


def all_slots(trigger: BaseTrigger, after: datetime, until: datetime) -> list[datetime]:
    """List the slots of a trigger after a moment, up to another."""
    found = []
    at = next_slot(trigger, after)
    while at is not None and at <= until:
        found.append(at)
        at = next_slot(trigger, at)
    return found
