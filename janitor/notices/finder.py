"""The facts of every job at a moment, put together from the state database."""

from collections.abc import Iterator, Mapping
from datetime import datetime

from sqlalchemy import Connection

from janitor.engine import overdue
from janitor.jobs.job import Job
from janitor.notices import reading
from janitor.notices.facts import Facts
from janitor.notices.history import History
from janitor.settings.notices import NoticeRules
from janitor.state import recent
from janitor.state.clocks import boot_clock
from janitor.state.job_records import JobRecord

QUARANTINE_SECONDS = 60.0
"""How often the quarantines are counted."""


class Finder:
    """Finds the facts of every job; it counts the quarantines only once a minute."""

    def __init__(self, rules: Mapping[str, NoticeRules]) -> None:
        """`rules` may change later: each call reads them anew."""
        self._rules = rules
        self._quarantined: dict[str, int] = {}
        self._count_at = 0.0

    def facts(
        self,
        connection: Connection,
        jobs: Mapping[str, Job],
        known: Mapping[str, History],
        records: Mapping[str, JobRecord],
        now: datetime,
    ) -> Iterator[Facts]:
        """Give the facts of each job, from its history and its record in the state database."""
        running = reading.running(connection)
        wanted = [job for job in jobs.values() if "overdue" in self._rules[job.id].notice_rules]
        successes = {job: history.successes[-1] for job, history in known.items() if history.successes}
        alive = recent.signs_of_life(connection) if wanted else {}
        late = overdue.among(wanted, records, successes, alive, now)
        quarantined = self._count(connection, now)
        for job in jobs:
            yield Facts(
                job=job,
                history=known[job],
                running=running.get(job),
                overdue_since=late.get(job),
                quarantined=quarantined.get(job, 0),
                enabled_at=enabled_at(records, job),
                alive_at=alive.get(job),
            )

    def _count(self, connection: Connection, now: datetime) -> Mapping[str, int]:
        if boot_clock() >= self._count_at:
            wanted = any("quarantine_growing" in rules.notice_rules for rules in list(self._rules.values()))
            self._quarantined = reading.quarantined(connection, now) if wanted else {}
            self._count_at = boot_clock() + QUARANTINE_SECONDS
        return self._quarantined


def enabled_at(records: Mapping[str, JobRecord], job: str) -> datetime | None:
    """Return when a job was switched on, or first known; None if it is not known."""
    record = records.get(job)
    return None if record is None else record.enabled_at
