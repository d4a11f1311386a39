"""What must be on record at the end of a simulated year: each slot once, of the times in which a job was there.

    a job is there        ├──────────────────────┤            ├───────────>   between: it owes nothing
    must have an outcome     ○     ○     ○     ○                 ○     ○       each exactly once
    may have an outcome                             ○         ○                just after an end, just after a beginning

A slot just after a beginning may be on record already, or be waited out: a daemon whose clock was ahead ran it, or ran
up to it. What is near a moment at which the clock was set back may be either, if the job changed there.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from apscheduler.triggers.base import BaseTrigger
from sqlalchemy import Row

from janitor.engine.catching_up import AHEAD, newest_slot
from janitor.jobs import Job
from janitor.jobs.slots import MOMENT, Slots, next_slot, slots_between

SLACK = AHEAD + timedelta(minutes=1)


@dataclass
class There:
    """A time in which a job was there with one schedule; `until` is None while it is."""

    trigger: BaseTrigger
    identity: str
    since: datetime
    until: datetime | None = None
    first_at: datetime | None = None
    """The newest slot of a job that was new, which runs at once."""


@dataclass
class YearBook:
    """Notes when each job was there, as the daemons that led counted."""

    times: dict[str, list[There]] = field(default_factory=lambda: defaultdict(list))
    last_at: datetime | None = None
    """When a daemon that led was last seen alive, by the time that it counts by."""
    set_back: list[tuple[datetime, datetime]] = field(default_factory=list)

    def alive(self, now: datetime) -> None:
        """A daemon leads at this moment."""
        self.last_at = now

    def counted(self, jobs: Mapping[str, Job], now: datetime) -> None:
        """A daemon has counted its slots: it came to lead, its jobs were replaced, or the time leapt."""
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
        self.last_at = now

    def was_set_back(self, before: datetime, after: datetime) -> None:
        """The state database's clock was set back."""
        self.set_back.append((after, before))

    def check(self, name: str, rows: Sequence[Row[Any]], now: datetime) -> Counter[str]:
        """Compare a job's records with what must be there; how many slots have each outcome."""
        outcomes: Counter[str] = Counter()
        covered: Counter[datetime] = Counter()
        times = self.times[name]
        for row in rows:
            assert row.outcome is not None, row
            if row.slot_at is None:
                continue
            slots = next((found for one in times if (found := stretch(one.trigger, row))), None)
            assert slots is not None, f"{name}: no schedule of it has these slots: {row}"
            covered.update(slots)
            outcomes[row.outcome] += row.slots
        twice = [at for at, count in covered.items() if count > 1]
        assert not twice, f"{name}: slots with two outcomes: {twice[:5]}"
        must, may = set[datetime](), set[datetime]()
        for one in times:
            until = one.until or now - SLACK
            must.update(all_slots(one.trigger, one.since + SLACK, until))
            may.update(all_slots(one.trigger, one.since - SLACK, until + SLACK), filter(None, [one.first_at]))
            for after, before in self.set_back:
                if one.until is not None and one.until > after - SLACK and one.since < before:
                    doubtful = all_slots(one.trigger, after - SLACK, before + SLACK)
                    must.difference_update(doubtful)
                    may.update(doubtful)
        lost = sorted(must - covered.keys())
        assert not lost, f"{name}: {len(lost)} slots without an outcome: {lost[:5]}; {self.near(name, lost[0])}"
        more = sorted(covered.keys() - may)
        assert not more, f"{name}: {len(more)} slots that it does not owe: {more[:5]}; {self.near(name, more[0])}"
        return outcomes

    def near(self, name: str, at: datetime) -> str:
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
