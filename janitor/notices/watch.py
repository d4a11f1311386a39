"""The watch: compares what holds with what has been told, and remembers in one transaction what is to be told."""

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, timezone
from typing import Any

from sqlalchemy import Connection, Row

from janitor.engine import overdue
from janitor.engine.runner import Runner
from janitor.errors import Fenced, JanitorError
from janitor.jobs.job import Job
from janitor.notices import histories
from janitor.notices.content import Content
from janitor.notices.outbox import Key, Open, Outbox, Step
from janitor.notices.post import Post
from janitor.notices.rules import (
    OF_RUNS,
    Condition,
    Facts,
    History,
    conditions,
    conditions_after,
    kept_successes,
    why_over,
)
from janitor.settings.notices import NoticeRules
from janitor.state import job_records, leases, notices, recent
from janitor.state.clocks import boot_clock
from janitor.state.job_records import JobRecord
from janitor.state.notices import BEGAN, ENDED, REPEATED, Position

AWAY_SECONDS = 60.0
"""How long the state database is away before that is told."""
QUARANTINE_SECONDS = 60.0
"""How often the quarantines are counted."""
PRUNE_SECONDS = 600.0


@dataclass
class Book:
    """What has been looked at and told, as it is in the state database too."""

    position: Position
    histories: dict[str, History]
    told: dict[Key, Open]
    saved: bool


@dataclass
class Found:
    """What a look has found, and has not yet written."""

    position: Position
    histories: dict[str, History]
    more: bool
    steps: list[Step] = field(default_factory=list)


class Watch:
    """Looks at the rules again and again while this daemon leads; `posts` are told of what there is to tell.

    Notices end and begin in the order in which runs ended, also where several ended between two looks: what begins
    and ends between two is told twice, once each.
    """

    def __init__(
        self,
        runner: Runner,
        jobs: Mapping[str, Job],
        rules: Mapping[str, NoticeRules],
        posts: Sequence[Post],
        away_seconds: float = AWAY_SECONDS,
    ) -> None:
        """Nothing is looked at before `start`."""
        self._runner, self._jobs, self._rules, self._posts = runner, jobs, rules, posts
        self._outbox = Outbox(runner, jobs, rules, [post.channel.name for post in posts])
        self._away_seconds = away_seconds
        self._away_since: float | None = None
        self._away: Content | None = None
        self._stands_by = False
        self._book: Book | None = None
        self._quarantined: dict[str, int] = {}
        self._count_at = self._prune_at = 0.0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._loop, name="notices", daemon=True)

    def start(self) -> None:
        """Begin, in a thread of its own."""
        self._thread.start()

    def stop(self, seconds: float) -> None:
        """Let the thread end."""
        self._stop.set()
        self._thread.join(seconds)

    def _loop(self) -> None:
        while not self._stop.wait(self._runner.settings.notice_check_seconds):
            self.try_look(datetime.now(timezone.utc))

    def try_look(self, now: datetime) -> None:
        """Look once; a state database that is away is told of by itself, after a while."""
        try:
            while self.look(now):
                pass
        except Fenced:
            self._book = None
        except JanitorError as exc:
            self._book = None
            self._tell_away(exc, now)
        else:
            self._tell_back(now)

    def look(self, now: datetime) -> bool:
        """Look once; True where more has ended than is looked at together.

        Raises:
            Fenced: another daemon leads now; nothing is written.
            Unavailable, Rejected: the state database is away, or says no.
        """
        state, fence = self._runner.state, self._runner.daemon_fence
        with state.read() as connection:
            if fence is None:
                self._stands_by = leases.holder_of(connection, leases.DAEMON) is not None
                self._book = None
                return False
            self._stands_by = False
            book = self._book = self._book or self._load(connection)
            found = self._compare(connection, book, now)
        changed = found.position != book.position or not book.saved
        if found.steps or changed:
            with state.begin(fence) as connection:
                if changed:
                    notices.save_position(connection, found.position, now)
                told = self._outbox.put(connection, found.steps, book.told, now)
            self._book = Book(found.position, found.histories, told, True)
        for step in found.steps:
            step.log()
        for post in self._posts if found.steps else ():
            post.wake()
        self._prune(now)
        return found.more

    def _load(self, connection: Connection) -> Book:
        saved = notices.position(connection)
        position = saved or histories.beginning(connection)
        told = {(row.job, row.rule): _as_open(row) for row in notices.still_open(connection)}
        known = {
            job: histories.history(connection, job, kept_successes(rules), position)
            for job, rules in self._rules.items()
        }
        for post in self._posts:
            post.wake()
        return Book(position, known, told, saved is not None)

    def _compare(self, connection: Connection, book: Book, now: datetime) -> Found:
        """What is to be told: first what became so as each run ended, then what is so now."""
        news, records = histories.news(connection, book.position), job_records.all_jobs(connection)
        found = Found(news.position, dict(book.histories), news.more)
        told = dict(book.told)
        for job, ended in news.ended.items():
            if job not in self._jobs:
                continue
            rules = self._rules[job]
            for record in ended:
                found.histories[job] = found.histories[job].and_then(record, kept_successes(rules))
                facts = Facts(job, found.histories[job], enabled_at=_enabled_at(records, job))
                self._step(found, told, facts, conditions_after(facts, rules), OF_RUNS, now, repeat=False)
        if news.more:
            return found
        for facts in self._facts(connection, found.histories, records, now):
            paused = facts.job in records and records[facts.job].paused_at is not None
            holds = conditions(facts, self._rules[facts.job], now) if self._jobs[facts.job].enabled else {}
            self._step(found, told, facts, holds, None, now, repeat=not paused)
        self._end_orphans(found, told)
        return found

    def _facts(
        self,
        connection: Connection,
        known: Mapping[str, History],
        records: Mapping[str, JobRecord],
        now: datetime,
    ) -> list[Facts]:
        going_on = histories.running(connection)
        wanted = [job for job in self._jobs.values() if "overdue" in self._rules[job.id].notice_rules]
        successes = {job: one.successes[-1] for job, one in known.items() if one.successes}
        alive = recent.signs_of_life(connection) if wanted else {}
        late = overdue.among(wanted, records, successes, alive, now)
        if boot_clock() >= self._count_at:
            grows = any("quarantine_growing" in rules.notice_rules for rules in self._rules.values())
            self._quarantined = histories.quarantined(connection, now) if grows else {}
            self._count_at = boot_clock() + QUARANTINE_SECONDS
        return [
            Facts(
                job,
                known[job],
                going_on.get(job),
                late.get(job),
                self._quarantined.get(job, 0),
                _enabled_at(records, job),
                alive.get(job),
            )
            for job in self._jobs
        ]

    def _step(
        self,
        found: Found,
        told: dict[Key, Open],
        facts: Facts,
        holds: Mapping[str, Condition],
        only: frozenset[str] | None,
        now: datetime,
        *,
        repeat: bool,
    ) -> None:
        """Add what is to be told of one job, no repeats where it is paused; `told` follows, for the next step."""
        for rule, condition in holds.items():
            before = told.get((facts.job, rule))
            if before is None:
                found.steps.append(Step(BEGAN, condition, facts))
                told[facts.job, rule] = Open(0, condition.text, condition.run_id, now, now)
            elif rule == "overdue" and "failed" in holds:
                continue  # which is told again already
            elif repeat and self._is_due(before, condition, now):
                found.steps.append(Step(REPEATED, condition, facts))
                told[facts.job, rule] = replace(before, text=condition.text, run_id=condition.run_id, told_at=now)
        for job, rule in [key for key in told if key[0] == facts.job and key[1] not in holds]:
            if only is None or rule in only:
                was = told.pop((job, rule))
                ended = Condition(rule, job, was.text, was.run_id)
                paused = rule == "overdue" and not repeat
                found.steps.append(Step(ENDED, ended, facts, "it is paused" if paused else self._why_over(rule, facts)))

    def _is_due(self, before: Open, condition: Condition, now: datetime) -> bool:
        if now - before.told_at < self._rules[condition.job].notice_repeat:
            return False
        return condition.lasts or (condition.run_id, condition.text) != (before.run_id, before.text)

    def _why_over(self, rule: str, facts: Facts) -> str:
        job = self._jobs[facts.job]
        if not job.enabled:
            return f"it is switched off: {job.disabled_because}"
        if rule not in self._rules[facts.job].notice_rules:
            return "nobody wants to know of it any more"
        return why_over(rule, facts)

    def _end_orphans(self, found: Found, told: dict[Key, Open]) -> None:
        for job, rule in [key for key in told if key[0] not in self._jobs]:
            was = told.pop((job, rule))
            gone = Condition(rule, job, was.text, was.run_id)
            found.steps.append(Step(ENDED, gone, Facts(job, History()), "there is no such job any more"))

    def _prune(self, now: datetime) -> None:
        fence = self._runner.daemon_fence
        if fence is None or boot_clock() < self._prune_at:
            return
        before = now - timedelta(days=self._runner.settings.history_days)
        with self._runner.state.begin(fence) as connection:
            gone = notices.prune(connection, before)
        self._prune_at = boot_clock() + (1.0 if gone else PRUNE_SECONDS)

    def _tell_away(self, exc: JanitorError, now: datetime) -> None:
        """Tell once that the state database is away, from memory: it cannot be remembered where it belongs."""
        if self._away_since is None:
            self._away_since = boot_clock()
        if self._away is not None or self._stands_by or boot_clock() - self._away_since < self._away_seconds:
            return
        reason = self._runner.mask(str(exc))
        text = f"the state database is away; runs fail until it is back: {reason}"
        key = f"janitor-{now:%Y%m%d%H%M%S}-state"
        self._away = Content(key, BEGAN, "state_away", "janitor", text, now, now, self._outbox.host)
        self._tell_directly(self._away)

    def _tell_back(self, now: datetime) -> None:
        self._away_since = None
        if self._away is not None:
            self._tell_directly(replace(self._away, kind=ENDED, at=now, over="the state database is back"))
            self._away = None

    def _tell_directly(self, content: Content) -> None:
        for post in self._posts:
            post.tell_directly(content)


def _as_open(row: Row[Any]) -> Open:
    return Open(row.id, row.text, row.run_id, row.began_at, row.told_at)


def _enabled_at(records: Mapping[str, JobRecord], job: str) -> datetime | None:
    record = records.get(job)
    return None if record is None else record.enabled_at
