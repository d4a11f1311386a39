"""The watch: looks at all jobs again and again, and puts into the outbox what is to be told.

    one look:  read the records that ended since the last look
               for each of them, in order: compare what holds after it with the open notices
               then compare what holds now with the open notices
               in ONE fenced transaction: save the new position, put the steps into the outbox
               wake the posts

The position and the steps are saved together. A daemon that is killed at any point therefore tells each thing once.

A job that cannot be looked at is set aside for this look, and so is a step that cannot be written: all else is told.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import Connection

from janitor.databases.places import place
from janitor.engine.obstacles import RECORDING
from janitor.engine.runner import Runner
from janitor.errors import Fenced, JanitorError, Unavailable
from janitor.jobs.job import Job
from janitor.notices import house, reading
from janitor.notices.away import AWAY_SECONDS, AwayNotice
from janitor.notices.comparison import Comparison
from janitor.notices.content import Content
from janitor.notices.facts import Facts
from janitor.notices.finder import Finder, Moment, enabled_at
from janitor.notices.history import Ended, History
from janitor.notices.outbox import Outbox
from janitor.notices.post import Post
from janitor.notices.reading import News
from janitor.notices.rules import kept_successes
from janitor.notices.steps import Key, OpenNotice, Step
from janitor.settings.notices import NoticeRules
from janitor.state import identity, job_records, leases, notices, watched
from janitor.state.clocks import boot_clock
from janitor.state.job_records import JobRecord
from janitor.state.watched import Watched

PRUNE_SECONDS = 600.0


@dataclass(frozen=True)
class Book:
    """What has been looked at and told. `saved` is True if the state database has this position too."""

    position: Watched
    histories: Mapping[str, History]
    told: Mapping[Key, OpenNotice]
    saved: bool


@dataclass(frozen=True)
class Look:
    """What a look found, before it is written. `more` is True if another look must follow at once."""

    position: Watched
    histories: Mapping[str, History]
    more: bool
    steps: Sequence[Step] = field(default_factory=list)


class Watch:
    """Looks at all jobs while this daemon leads, and wakes the posts if there is something to tell.

    Notices begin and end in the order in which the runs ended, even if several ended between two looks.
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
        self._loop = runner.loops.loop("notices", self._step, first=runner.settings.notice_check_seconds)
        self._outbox = Outbox(runner, jobs, rules, [post.channel.name for post in posts], self._loop.duty)
        self._finder = Finder(rules)
        self._away = AwayNotice(self._tell_directly, runner.mask, self._outbox.host, away_seconds)
        self._stands_by = False
        self._book: Book | None = None
        self._prune_at = 0.0

    def start(self) -> None:
        """Begin, in a thread of its own."""
        self._loop.start()

    def stop(self, seconds: float) -> None:
        """Ask the thread to end, and wait for it so long."""
        self._loop.ask_to_stop()
        self._loop.wait(seconds)

    def _step(self) -> float:
        self.try_look(self._runner.state.clock.now())
        return self._runner.settings.notice_check_seconds

    def try_look(self, now: datetime) -> None:
        """Look until nothing more has ended. If the state database stays away for a while, tell that."""
        try:
            while self.look(now):
                pass
        except Fenced:
            self._book = None
        except JanitorError as exc:
            self._book = None
            self._away.is_away(exc, now, stands_by=self._stands_by)
        else:
            # Its disk is full, say: it can be read, and nothing new is to be seen as nothing can be recorded.
            if (why := self._runner.obstacles.why(RECORDING)) is not None:
                self._away.is_away(Unavailable(f"nothing can be recorded: {why}"), now, stands_by=self._stands_by)
            else:
                self._away.is_back(now)

    def look(self, now: datetime) -> bool:
        """Look once; return True if more has ended than one look takes.

        Raises:
            Fenced: another daemon leads now; nothing is written.
            Unavailable, Rejected: the state database is away, or refuses.
        """
        state, fence = self._runner.state, self._runner.lead.fence
        with state.read() as connection:
            if fence is None:
                self._stands_by = leases.holder_of(connection, leases.DAEMON) is not None
                self._book = None
                return False
            self._stands_by = False
            book = self._book = self._book or self._load(connection)
            look = self._compare(connection, book, now)
        told, is_new = book.told, look.position != book.position or not book.saved
        if look.steps or is_new:
            with state.begin(fence) as connection:
                if is_new:
                    watched.save(connection, look.position, now)
                told = self._outbox.put(connection, look.steps, book.told, now)
        self._book = Book(look.position, look.histories, told, saved=True)
        for step in look.steps:
            step.log()
        if look.steps:
            self._wake_posts()
        with self._loop.duty.aside("pruning"):
            self._prune(now)
        return look.more

    def _load(self, connection: Connection) -> Book:
        saved = watched.load(connection)
        position = saved or reading.beginning(connection)
        told = {
            (row.job, row.rule): OpenNotice(row.id, row.text, row.run_id, row.began_at, row.told_at)
            for row in notices.still_open(connection)
        }
        self._wake_posts()
        return Book(position, {}, told, saved is not None)

    def _compare(self, connection: Connection, book: Book, now: datetime) -> Look:
        """Find the steps: first for each run that ended, then for what holds at this moment."""
        # A copy: the jobs may be replaced during the look.
        jobs = dict(self._jobs)
        news, records = reading.news(connection, book.position), job_records.all_jobs(connection)
        comparison = Comparison(jobs, self._rules, book.told, now)
        known = dict[str, History]()
        moment = None if news.more else self._finder.moment(connection, jobs, records, now)
        for job in jobs.values():
            with self._loop.duty.aside(f"job {job.id}"):
                history = book.histories.get(job.id) or self._history(connection, job.id, book.position)
                known[job.id] = self._compare_job(comparison, job, history, news, records, moment)
        if not news.more:
            comparison.end_orphans()
            comparison.of_house(house.conditions(identity.load(connection), place(self._runner.state.url), now))
        return Look(news.position, known, news.more, comparison.steps)

    def _compare_job(
        self,
        comparison: Comparison,
        job: Job,
        history: History,
        news: News,
        records: Mapping[str, JobRecord],
        moment: Moment | None,
    ) -> History:
        """Compare what holds for one job: after each record that ended, and at the moment unless more has ended."""
        if ended := news.ended.get(job.id):
            history = self._after_each(comparison, history, job.id, ended, records)
        if moment is not None:
            paused = job.id in records and records[job.id].paused_at is not None
            comparison.at_moment(self._finder.facts(job, history, moment), paused=paused)
        return history

    def _history(self, connection: Connection, job: str, position: Watched) -> History:
        return reading.history(connection, job, kept_successes(self._rules[job]), position)

    def _after_each(
        self,
        comparison: Comparison,
        history: History,
        job: str,
        ended: Sequence[Ended],
        records: Mapping[str, JobRecord],
    ) -> History:
        """Compare after each record of one job, in order; return the history with all of them."""
        keep = kept_successes(self._rules[job])
        for record in ended:
            history = history.and_then(record, keep)
            comparison.after_run(Facts(job, history, enabled_at=enabled_at(records, job)))
        return history

    def _prune(self, now: datetime) -> None:
        fence = self._runner.lead.fence
        if fence is None or boot_clock() < self._prune_at:
            return
        before = now - timedelta(days=self._runner.settings.history_days)
        with self._runner.state.begin(fence) as connection:
            gone = notices.prune(connection, before)
        self._prune_at = boot_clock() + (1.0 if gone else PRUNE_SECONDS)

    def _wake_posts(self) -> None:
        for post in self._posts:
            post.wake()

    def _tell_directly(self, content: Content) -> None:
        for post in self._posts:
            post.tell_directly(content)
