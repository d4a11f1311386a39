"""Jobs, as the list and the page of one job show them."""

from datetime import datetime
from typing import Any, Literal

from pydantic import Field

from janitor.web.queries.models.model import Model
from janitor.web.queries.models.runs import Bar, Going, Outcome, RunLine

Condition = Literal["overdue", "failing", "running", "fine", "new", "paused", "disabled"]
"""A job's state in one word: `disabled` or `paused` if it is; else the first that fits, in this order."""
Status = Literal["not_run", "outdated", "succeeded", "failed"]
"""A job's state among its dependencies."""


class Cursor(Model):
    """How far a job has read its feed."""

    top: int | None = Field(description="The highest id that is done; None for a cursor that is no feed's.")
    settled: int | None = Field(description="All ids up to this id are done, also ids that commit late.")
    taken_above: int | None = Field(description="How many ids above that are done.")
    gaps: int | None = Field(description="How many ids below the top may still come.")
    snapshot_after: int | None = Field(description="The key that its first walk through the whole feed has reached.")
    text: str = Field(description="All of this as a sentence.")
    moved_at: datetime = Field(description="When it last moved.")
    read_at: datetime | None = Field(description="When the feed was last read to its end: the last success's start.")
    lag_seconds: float | None = Field(description="How long ago that is; None if it never was.")


class JobLine(Model):
    """One job, as the list of jobs shows it."""

    id: str
    title: str = Field(description="Its title, or the first sentence of its task's docstring.")
    condition: Condition
    schedule: str = Field(description="As `<JOB>_SCHEDULE` takes it.", examples=["every 5m"])
    schedule_text: str = Field(description="In words.", examples=["every 5 minutes"])
    enabled: bool
    disabled_because: str | None
    paused_at: datetime | None
    paused_by: str | None
    overdue_since: datetime | None = Field(description="Since when it has had no success within twice its schedule.")
    running: Going | None
    last: RunLine | None = Field(description="Its newest record that has ended.")
    last_success_at: datetime | None = Field(description="When a run last succeeded; dry runs do not count.")
    failures: int = Field(description="How many of the runs in its strip failed or timed out in a row.")
    strip: list[Bar] = Field(
        description="Its last 30 runs, the newest last; in a list, if there are more than 100 jobs in all, its last 10."
    )
    next_run_at: datetime | None = Field(description="None if it is paused or disabled, or if no slot comes.")
    cursor: Cursor | None
    quarantined: int = Field(description="How many keys cannot be delivered; keys that were given up do not count.")
    tags: list[str]
    pipeline: str | None = Field(description="The pipeline whose items it works on; None for a job with slots.")
    protect: bool = Field(description="Whether a run by hand must be confirmed with the job's id.")
    dependencies: list[str] = Field(description="The jobs that it depends on.")
    dependents: list[str] = Field(description="The jobs that depend on it.")
    status: Status | None = Field(description="Its state among these; None if there are none.")
    outdated_by: list[str] = Field(description="The dependencies with newer successes than it has used.")


class SettingLine(Model):
    """One setting that a job depends on."""

    name: str
    value: str = Field(description="The value in force, without secrets; empty if there is none.")
    given: bool = Field(description="Whether somebody gave it; else it is the default.")
    description: str


class Point(Model):
    """One run in the charts: how long it took, and what it did."""

    id: int
    outcome: Outcome
    started_at: datetime
    seconds: float
    rows: int = Field(description="Rows inserted, updated, deleted or repaired.")
    published: int = Field(description="Messages published.")
    counts: dict[str, float] = Field(description="All of its counts that are numbers.")


class JobPage(Model):
    """All that is known of one job but its history."""

    job: JobLine
    docstring: str
    next_runs: list[datetime] = Field(description="Its next five slots, even if it is paused or disabled.")
    points: list[Point] = Field(description="Its last 100 runs that have ended, the oldest first.")
    timeout_seconds: float
    retries: int
    catch_up: Literal["last", "none"]
    isolation: Literal["thread", "process"]
    settings: list[SettingLine]
    dropped: int = Field(description="How many keys were given up.")
    notes: str = Field(description="The notes in its description, in Markdown.")
    file: str = Field(description="The jobs file that it stands in; empty for a job of `run.py`.")
    config: dict[str, Any] = Field(description="Its description, as a jobs file has it, without secrets.")
