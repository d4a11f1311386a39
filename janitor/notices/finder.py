"""The facts of a job at a moment, put together from the state database: first what is read for all jobs together."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import Connection

from janitor.engine import overdue
from janitor.jobs.job import Job
from janitor.notices import reading
from janitor.notices.facts import Facts
from janitor.notices.history import History, Running
from janitor.notices.item_facts import ItemFacts
from janitor.notices.item_finder import ItemFinder
from janitor.settings.notices import NoticeRules
from janitor.state import memories, recent
from janitor.state.clocks import boot_clock
from janitor.state.job_records import JobRecord

NEEDING_LIFE = frozenset({"overdue", "items_wait"})
"""The rules that ask when a job was resumed."""
WORKS_AFTER = timedelta(minutes=1)
"""An inbox that has gone on for so long works: whatever it cannot reach ends its run sooner."""
QUARANTINE_SECONDS = 60.0
"""How often the quarantines are counted."""


@dataclass(frozen=True)
class Moment:
    """What the state database knew of all jobs at a moment, by job."""

    now: datetime
    running: Mapping[str, Running]
    records: Mapping[str, JobRecord]
    alive: Mapping[str, datetime]
    quarantined: Mapping[str, int]
    items: Mapping[str, ItemFacts] = field(default_factory=dict)


class Finder:
    """Finds the facts of jobs; it counts the quarantines only once a minute."""

    def __init__(self, rules: Mapping[str, NoticeRules]) -> None:
        """`rules` may change later: each call reads them anew."""
        self._rules = rules
        self._items = ItemFinder(rules)
        self._quarantined: dict[str, int] = {}
        self._count_at = 0.0

    def moment(
        self, connection: Connection, jobs: Mapping[str, Job], records: Mapping[str, JobRecord], now: datetime
    ) -> Moment:
        """Read what is read for all jobs together; `records` are their records in the state database."""
        wanted = any(NEEDING_LIFE & set(rules.notice_rules) for rules in list(self._rules.values()))
        alive = recent.signs_of_life(connection) if wanted else {}
        running, counts = reading.running(connection), self._count(connection, jobs, now)
        items = self._items.find(connection, jobs, records, alive, now)
        return Moment(now, running, records, alive, counts, items)

    def facts(self, job: Job, history: History, moment: Moment) -> Facts:
        """Return the facts of one job, from its history and its record in the state database."""
        wanted = [job] if "overdue" in self._rules[job.id].notice_rules else []
        successes = {job.id: history.successes[-1]} if history.successes else {}
        late = overdue.among(wanted, moment.records, successes, moment.alive, moment.now)
        return Facts(
            job=job.id,
            history=history,
            running=moment.running.get(job.id),
            overdue_since=late.get(job.id),
            quarantined=moment.quarantined.get(job.id, 0),
            enabled_at=enabled_at(moment.records, job.id),
            alive_at=moment.alive.get(job.id) if wanted else None,
            items=moment.items.get(job.id, ItemFacts()),
            works=_works(job, moment),
        )

    def _count(self, connection: Connection, jobs: Mapping[str, Job], now: datetime) -> Mapping[str, int]:
        if boot_clock() >= self._count_at:
            wanted = any("quarantine_growing" in rules.notice_rules for rules in list(self._rules.values()))
            counts = reading.quarantined(connection, now) if wanted else {}
            self._quarantined = memories.by_owner(counts, memories.owners(connection, jobs)) if counts else {}
            self._count_at = boot_clock() + QUARANTINE_SECONDS
        return self._quarantined


def _works(job: Job, moment: Moment) -> Running | None:
    running = moment.running.get(job.id)
    if running is None or job.work is None or job.work.kind != "inbox":
        return None
    return running if moment.now - running.started_at >= WORKS_AFTER else None


def enabled_at(records: Mapping[str, JobRecord], job: str) -> datetime | None:
    """Return when a job was switched on, or first known; None if it is not known."""
    record = records.get(job)
    return None if record is None else record.enabled_at
