"""The facts of items at a moment, put together from the state database: only what some rule asks for is read."""

import math
from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import Connection

from janitor.items import waits
from janitor.jobs.job import Job
from janitor.notices import item_reading
from janitor.notices.item_facts import ItemFacts, Letters, Streak, Undelivered
from janitor.settings.notices import NoticeRules
from janitor.state.item_plans import lane_of
from janitor.state.job_records import JobRecord


class ItemFinder:
    """Finds the facts of items, by job; it remembers which replies failed at the look before."""

    def __init__(self, rules: Mapping[str, NoticeRules]) -> None:
        """`rules` may change later: each call reads them anew."""
        self._rules = rules
        self._failing: dict[str, tuple[int, ...]] = {}

    def find(
        self,
        connection: Connection,
        jobs: Mapping[str, Job],
        records: Mapping[str, JobRecord],
        alive: Mapping[str, datetime],
        now: datetime,
    ) -> dict[str, ItemFacts]:
        """The facts of each job that belongs to a pipeline; `alive` has when jobs were resumed."""
        own = {name: job for name, job in jobs.items() if job.work is not None}
        if not own:
            return {}
        streaks = item_reading.streaks(connection, self._limits(own))
        waiting = self._waiting(connection, own, records, alive, now)
        letters, undelivered = self._letters(connection, own, now), self._undelivered(connection, own, now)
        return {
            name: ItemFacts(
                streak=streaks.get(name, Streak()),
                fails_in_a_row=_limit_of(job),
                waiting_since=waiting.get(name),
                waits_seconds=job.work.whole.waits_seconds if job.work is not None else 0.0,
                letters=letters.get(name),
                undelivered=undelivered.get(name, Undelivered()),
            )
            for name, job in own.items()
        }

    def _wanting(self, jobs: Mapping[str, Job], rule: str, kind: str) -> dict[str, Job]:
        """The jobs of one kind for which a rule is on."""
        asked = {name for name, rules in list(self._rules.items()) if rule in rules.notice_rules}
        return {
            name: job
            for name, job in jobs.items()
            if name in asked and job.enabled and job.work is not None and job.work.kind == kind
        }

    def _limits(self, jobs: Mapping[str, Job]) -> dict[str, int]:
        return {name: _limit_of(job) for name, job in self._wanting(jobs, "step_fails", "step").items()}

    def _waiting(
        self,
        connection: Connection,
        jobs: Mapping[str, Job],
        records: Mapping[str, JobRecord],
        alive: Mapping[str, datetime],
        now: datetime,
    ) -> dict[str, datetime]:
        wanting, after = self._wanting(jobs, "items_wait", "step"), dict[str, datetime]()
        for name in list(wanting):
            record = records.get(name)
            if record is None or record.paused_at is not None:
                del wanting[name]
            else:
                after[name] = max(record.enabled_at, alive.get(name, record.enabled_at))
        return waits.of_steps(connection, wanting.values(), now, after)

    def _letters(self, connection: Connection, jobs: Mapping[str, Job], now: datetime) -> dict[str, Letters]:
        wanting = self._wanting(jobs, "dead_letters_growing", "inbox")
        pipelines = dict.fromkeys(job.work.pipeline for job in wanting.values() if job.work is not None)
        found = item_reading.letters(connection, list(pipelines), now)
        return {lane_of(*names): letters for names, letters in found.items()}

    def _undelivered(self, connection: Connection, jobs: Mapping[str, Job], now: datetime) -> dict[str, Undelivered]:
        wanting = self._wanting(jobs, "reply_undelivered", "reply")
        found = {name: item_reading.undelivered(connection, name, now, self._failing.get(name, ())) for name in wanting}
        self._failing = {name: one.failing for name, one in found.items()}
        return found


def _limit_of(job: Job) -> int:
    """How often in a row a step of the job's pipeline may fail; any number above 0 was allowed."""
    return math.ceil(job.work.whole.fails_in_a_row) if job.work is not None else 1
