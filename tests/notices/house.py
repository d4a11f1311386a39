"""A small house to watch: two jobs, a state database, and made-up runs in its history."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, timezone
from typing import Any

from sqlalchemy import delete, insert, select, update

from janitor.engine.runner import Runner
from janitor.jobs import Job
from janitor.notices.content import Content, from_json
from janitor.notices.post import Post
from janitor.notices.watch import Watch
from janitor.settings.notices import NoticeRules
from janitor.state.deliveries import DELIVERED
from janitor.state.tables import deliveries, jobs, metadata, notices, runs
from tests.small_engine import job_of

NOON = datetime(2026, 7, 1, 12, 0, 30, tzinfo=timezone.utc)
"""A moment just after the jobs ran: they are due each hour."""


RUN_RULES = "failed recovered missed interrupted started_late ran_long"
"""The rules that hold because of how a run ended."""


@dataclass(frozen=True)
class Named:
    """A channel of which only the name matters: the tests read its deliveries from the state database."""

    name: str = "notebook"
    where: str = "nowhere"
    together: bool = False

    def send(self, content: Content) -> str:
        """Fail: no test starts its post."""
        raise AssertionError(content)


@dataclass
class House:
    """Two jobs that are due each hour and have long been known."""

    runner: Runner
    jobs: dict[str, Job] = field(default_factory=lambda: {name: job_of(print, id=name) for name in ("copy", "clean")})
    rules: dict[str, NoticeRules] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.begin_anew()

    def begin_anew(self) -> None:
        """Forget everything except the jobs."""
        with self.runner.state.begin() as connection:
            for table in ("deliveries", "notices", "runs", "cursors", "jobs", "quarantine", "memories", "actions"):
                connection.execute(delete(metadata.tables[table]))
            long_ago = NOON - timedelta(days=1)
            known = {"schedule": "every 1h", "enabled": True, "enabled_at": long_ago}
            connection.execute(insert(jobs), [{"id": job, **known} for job in self.jobs])

    def watch(self, *names: str, rules: str = RUN_RULES, away_seconds: float = 60.0, **more: Any) -> Watch:
        """Make a watch, as each start of a daemon does, for channels of these names; it is not started."""
        posts = [Post(self.runner, Named(name)) for name in names or ("notebook",)]
        wanted = NoticeRules.model_validate({"notice_rules": rules, **more})
        self.rules = {job: wanted for job in self.jobs}
        return Watch(self.runner, self.jobs, self.rules, posts, away_seconds)

    def ran(self, outcome: str | None, at: datetime = NOON, job: str = "copy", **more: Any) -> int:
        """Put a run of 20 s into the history and return its id; without an outcome the run goes on."""
        ended = {} if outcome is None else {"ended_at": at + timedelta(seconds=20), "seconds": 20.0}
        values: dict[str, Any] = {
            "job": job,
            "origin": "schedule",
            "slot_at": None,
            "slot_until_at": None,
            "slots": 1,
            "outcome": outcome,
            "started_at": at,
            "attempts": 1,
            "dry_run": False,
            "holder": "here",
            "reason": "no space left" if outcome == "failed" else None,
            "counts": '{"rows": 7}',
            **ended,
            **more,
        }
        with self.runner.state.begin() as connection:
            made = connection.execute(insert(runs).values(values)).inserted_primary_key
        return int(made[0]) if made else 0

    def ends(self, run_id: int, outcome: str, at: datetime = NOON) -> None:
        """End a run that goes on."""
        values = {"outcome": outcome, "ended_at": at, "seconds": 20.0, "reason": "the process that ran it is gone"}
        with self.runner.state.begin() as connection:
            connection.execute(update(runs).where(runs.c.id == run_id).values(values))

    def changes(self, job: str, **more: Any) -> None:
        """Change a job: `disabled_because`, say."""
        self.jobs[job] = replace(self.jobs[job], **more)

    def adds(self, job: str) -> None:
        """Add a job while a watch looks, as a changed jobs file does: it has the rules of the other jobs."""
        self.rules[job] = next(iter(self.rules.values()))
        self.jobs[job] = job_of(print, id=job)

    def look(self, watch: Watch, at: datetime) -> None:
        """Let a watch look, and record every delivery as told."""
        watch.look(at)
        told = {"outcome": DELIVERED, "ended_at": at}
        with self.runner.state.begin() as connection:
            connection.execute(update(deliveries).where(deliveries.c.outcome.is_(None)).values(told))

    def told(self, channel: str = "notebook") -> list[str]:
        """List a channel's deliveries, in order, as kind, job and rule."""
        return [f"{one.kind} {one.job} {one.rule}" for one in self.contents(channel)]

    def contents(self, channel: str = "notebook") -> list[Content]:
        """List a channel's deliveries in full."""
        query = select(deliveries.c.content).where(deliveries.c.channel == channel).order_by(deliveries.c.id)
        with self.runner.state.read() as connection:
            return [from_json(text) for text in connection.execute(query).scalars()]

    def rows(self) -> list[Mapping[str, Any]]:
        """List the rows of `notices`, the oldest first."""
        with self.runner.state.read() as connection:
            return [dict(row._mapping) for row in connection.execute(select(notices).order_by(notices.c.id))]
