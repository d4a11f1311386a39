"""What the dashboard knows, as frozen values: pages show them, and the API gives them as JSON.

Instants are aware and UTC; durations are seconds. Texts that may be long are cut where a list shows them, and whole
where one thing is shown.
"""

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue

Outcome = Literal["running", "succeeded", "failed", "timed_out", "skipped", "missed", "cancelled", "interrupted"]
"""How a run ended; `running` while it has not."""
Condition = Literal["overdue", "failing", "running", "fine", "new", "paused", "disabled"]
Status = Literal["not_run", "outdated", "succeeded", "failed"]
"""A job's state in one word: the first that is so, in this order, but that `paused` and `disabled` go before all."""
Level = Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"]
Counts = dict[str, JsonValue]
LIST_TEXT = 1_000
"""How many characters of a reason or a note a list shows."""


class Model(BaseModel):
    """A value that nobody changes."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Error(Model):
    """What is wrong."""

    error: str = Field(description="One sentence that says what is wrong.", examples=["there is no run 77"])


class Part(Model):
    """How far a run, or a part of it, is; `done` and `total` are in whatever unit the task counts in."""

    name: str = Field(description="The part's name; empty for the whole run.")
    done: float | None = Field(description="None for a part that only its own parts tell of.")
    total: float | None = Field(description="None where nobody knows.")
    share: float | None = Field(description="`done` of `total`, 0 to 1; None without a total.")
    note: str = Field(description="What the task says of it.")
    parts: list["Part"] = Field(description="Its own parts, in the order in which they were first reported.")


class Going(Model):
    """A run that goes on."""

    id: int
    job: str
    started_at: datetime
    seconds: float = Field(description="How long it has gone on.")
    dry_run: bool
    stop_asked_by: str | None = Field(description="Who wants it to stop, at its next safe point.")
    progress: Part | None = Field(description="What it has reported so far; None before anything.")


class Bar(Model):
    """One run, as a strip or a chart shows it."""

    id: int
    outcome: Outcome
    started_at: datetime
    ended_at: datetime | None
    seconds: float | None = Field(description="None while it goes on.")
    slots: int = Field(description="How many slots of the schedule it stands for; more than 1 where none of them ran.")
    dry_run: bool


class RunLine(Bar):
    """One run, as a list shows it."""

    job: str
    origin: Literal["schedule", "catch_up", "by_hand", "after"]
    slot_at: datetime | None = Field(description="When the schedule was due; None for a run by hand.")
    slot_until_at: datetime | None = Field(description="The last of its slots.")
    attempts: int
    reason: str | None = Field(description="Why it ended so, in words.")
    counts: Counts | None = Field(description="What it counted, by name; None where it told nothing.")
    stop_asked_by: str | None


class Cursor(Model):
    """How far a job has read its feed."""

    top: int | None = Field(description="The highest id that is done with; None for a cursor that is no feed's.")
    settled: int | None = Field(description="All ids up to this one are done with, also those that commit late.")
    taken_above: int | None = Field(description="How many ids above that are done with.")
    gaps: int | None = Field(description="How many ids below the top may still come.")
    snapshot_after: int | None = Field(
        description="The key that its first walk of the whole has come to, while it goes."
    )
    text: str = Field(description="All of this as a sentence.")
    moved_at: datetime = Field(description="When it last moved.")
    read_at: datetime | None = Field(description="When the feed was last read to its end: the last success's start.")
    lag_seconds: float | None = Field(description="How long ago that is; None where it never was.")


class JobLine(Model):
    """One job, as the list of jobs shows it."""

    id: str
    title: str = Field(description="The first sentence of its task's docstring.")
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
    strip: list[Bar] = Field(description="Its last 30 runs, the newest last; of more than 100 jobs their last 10.")
    next_run_at: datetime | None = Field(description="None while it is paused or disabled, or where no slot comes.")
    cursor: Cursor | None
    quarantined: int = Field(description="How many keys cannot be delivered; those given up do not count.")
    tags: list[str]
    protect: bool = Field(description="Whether a run by hand has to be confirmed with the job's id.")
    dependencies: list[str] = Field(description="The jobs that it depends on.")
    dependents: list[str] = Field(description="The jobs that depend on it.")
    status: Status | None = Field(description="How it stands among these; None for a job that has none.")
    outdated_by: list[str] = Field(description="The dependencies with newer successes than it has used.")


class SettingLine(Model):
    """One setting that a job depends on."""

    name: str
    value: str = Field(description="What is in force, without secrets; empty where nothing is given.")
    given: bool = Field(description="Whether it was given, or is the default.")
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
    next_runs: list[datetime] = Field(description="Its next five slots, also where it is paused or disabled.")
    points: list[Point] = Field(description="Its last 100 runs that have ended, the oldest first.")
    timeout_seconds: float
    retries: int
    catch_up: Literal["last", "none"]
    isolation: Literal["thread", "process"]
    settings: list[SettingLine]
    dropped: int = Field(description="How many keys were given up.")
    notes: str = Field(description="What its description says of it, in Markdown.")
    file: str = Field(description="The jobs file that it stands in; empty for one of `run.py`.")
    config: dict[str, Any] = Field(description="How a jobs file describes it, without secrets.")


class Action(Model):
    """What somebody did."""

    id: int
    at: datetime
    actor: str
    action: str = Field(examples=["paused"])
    job: str | None
    detail: str


class Event(Model):
    """One line of a history: a run, or an action."""

    at: datetime
    run: RunLine | None
    action: Action | None


class History(Model):
    """A page of runs and actions, the newest first."""

    events: list[Event]
    next: str | None = Field(description="What `before` is for the page after this one; None where there is none.")


class RunList(Model):
    """A page of runs, the newest first."""

    runs: list[RunLine]
    next_before: int | None = Field(
        description="What `before` is for the page after this one; None where there is none."
    )


class ActionList(Model):
    """A page of actions, the newest first."""

    actions: list[Action]
    next_before: int | None = Field(
        description="What `before` is for the page after this one; None where there is none."
    )


class QuarantineLine(Model):
    """Rows of one key that cannot be delivered, for one reason."""

    key: str
    reason: str
    items: int = Field(description="How many parts of it wait.")
    first_at: datetime
    last_at: datetime | None = Field(description="When it was last looked at; None for one that is looked at first.")
    dropped_at: datetime | None
    dropped_by: str | None
    note: str | None = Field(description="Why it was given up.")


class QuarantineList(Model):
    """A page of a quarantine, the oldest first."""

    keys: int = Field(description="How many keys are in it, on all pages.")
    rows: list[QuarantineLine]
    next_offset: int | None = Field(description="Where the page after this one begins; None where there is none.")


class LogLine(Model):
    """One line that was logged during a run."""

    id: int
    at: datetime
    level: str
    logger: str
    message: str
    file: str | None = Field(description="The source file that logged it.")
    line: int | None


class LogLines(Model):
    """A stretch of a run's log, in order."""

    lines: list[LogLine]
    next_after: int = Field(description="What `after` is for the stretch after this one.")
    more: bool = Field(description="Whether there are more lines already.")
    ended: bool = Field(description="Whether the run has ended, so that no further line comes after these.")


class AttemptLine(Model):
    """One try of a run's task."""

    number: int
    started_at: datetime
    ended_at: datetime
    seconds: float
    outcome: Outcome
    reason: str | None
    traceback: str | None


class OtherRun(Model):
    """A run of another job."""

    run: int
    job: str
    kept: bool = Field(description="Whether it is still on record.")


class GraphNode(Model):
    """One job in the dependency graph."""

    id: str
    title: str
    status: Status
    running: bool
    dependencies: list[str]


class Graph(Model):
    """How jobs depend on one another."""

    jobs: list[GraphNode] = Field(description="Each after those that it depends on.")


class RunPage(Model):
    """All that is known of one run but its log."""

    run: RunLine = Field(description="Its reason is whole here.")
    going: Going | None = Field(description="None once it has ended.")
    progress: Part | None = Field(description="The last that it reported.")
    traceback: str | None
    attempts: list[AttemptLine] = Field(description="Its tries, where there was more than one.")
    process: str = Field(description="The process that ran it.", examples=["process 4711 on lab-1"])
    late_seconds: float | None = Field(description="How long after its slot it started; None without a slot.")
    before: int | None = Field(description="The run of the same job before it.")
    after: int | None = Field(description="The run of the same job after it.")
    used: list[OtherRun] = Field(description="The runs of its job's dependencies that it used.")
    used_by: list[OtherRun] = Field(description="The newest runs that used it, 100 at most.")
    result: Any = Field(
        description="What it returned: JSON, with dates and decimals as texts; None where none is kept."
    )
    has_result: bool
    config: dict[str, Any] | None = Field(description="How its job was described then; None where that is unknown.")
    kept_because: str | None = Field(description="Why it stays although it was to be deleted.")


class TimelineBar(Model):
    """One run in the timeline, or several of one job that began in the same few minutes, with the worst outcome."""

    outcome: Outcome
    started_at: datetime
    ended_at: datetime = Field(description="Now, for a run that goes on.")
    runs: int
    run: int = Field(description="The run; of several, the newest of those with this outcome.")
    counted: dict[Outcome, int] = Field(description="How many of the runs ended how.")


class TimelineRow(Model):
    """One job in the timeline."""

    job: str
    bars: list[TimelineBar]


class Hour(Model):
    """What was done in one hour, by the runs that ended in it."""

    at: datetime = Field(description="When the hour began; the last one is not over yet.")
    published: int = Field(description="Messages published: the count `published` of runs.")
    rows: int = Field(description="Rows synced: the counts `inserted`, `updated`, `deleted` and `repaired`.")


class NoticeLine(Model):
    """One thing that somebody was told of, until it is over."""

    id: int
    rule: str
    job: str
    run: int | None
    text: str
    began_at: datetime
    told_at: datetime
    ended_at: datetime | None


class DeliveryLine(Model):
    """A notice that a channel did not take."""

    id: int
    notice: int
    channel: str
    kind: str
    added_at: datetime
    tries: int
    outcome: str | None = Field(description="None while it is tried again.")
    ended_at: datetime | None
    reason: str | None


class NoticeList(Model):
    """What people were told."""

    open: list[NoticeLine] = Field(description="What is not over, the oldest first.")
    ended: list[NoticeLine] = Field(description="The last of what is over, the newest first.")
    undelivered: list[DeliveryLine] = Field(description="The last deliveries that failed or are tried again.")


class Overview(Model):
    """How the last 24 hours went."""

    now: datetime
    since: datetime
    conditions: dict[Condition, int] = Field(description="How many jobs are in which condition.")
    timeline: list[TimelineRow]
    running: list[Going]
    failed: list[RunLine] = Field(description="The newest runs that failed or timed out, within these hours.")
    hours: list[Hour]
    notices: list[NoticeLine] = Field(description="What is not over.")
    undelivered: list[DeliveryLine] = Field(description="Deliveries that failed or are tried again.")
