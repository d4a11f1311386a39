"""Runs, as lists and pages show them."""

from datetime import datetime
from typing import Any, Literal

from pydantic import Field, JsonValue

from janitor.web.queries.models.model import Model

Outcome = Literal["running", "succeeded", "failed", "timed_out", "skipped", "missed", "cancelled", "interrupted"]
"""How a run ended; `running` until it has."""
Origin = Literal["schedule", "catch_up", "by_hand", "after", "work"]
"""Why a run began: its slot came, slots were lost, a person, its dependencies, or items that wait for it."""
Counts = dict[str, JsonValue]


class Part(Model):
    """How far a run is, or a part of it; `done` and `total` are in the task's own unit."""

    name: str = Field(description="The part's name; empty for the whole run.")
    done: float | None = Field(description="None for a part of which only its own parts tell.")
    total: float | None = Field(description="None if nobody knows.")
    share: float | None = Field(description="`done` of `total`, 0 to 1; None without a total.")
    note: str = Field(description="What the task says of it.")
    parts: list["Part"] = Field(description="Its own parts, in the order in which they were first reported.")
    left_out: int = Field(description="Of the whole run: how many further parts are left out here; else 0.")


class Going(Model):
    """A run that goes on."""

    id: int
    job: str
    started_at: datetime
    seconds: float = Field(description="How long it has gone on.")
    dry_run: bool
    stop_asked_by: str | None = Field(description="Who asked it to stop, at its next safe point.")
    progress: Part | None = Field(
        description="What it has reported so far, up to 3 parts; None until it reports. The run itself tells all."
    )


class Bar(Model):
    """One run, as a strip or a chart shows it."""

    id: int
    outcome: Outcome
    started_at: datetime
    ended_at: datetime | None
    seconds: float | None = Field(description="None while it goes on.")
    slots: int = Field(
        description="How many slots of the schedule it stands for; more than 1 for a stretch of lost slots."
    )
    dry_run: bool


class RunLine(Bar):
    """One run, as a list shows it."""

    job: str
    origin: Origin
    slot_at: datetime | None = Field(description="When the schedule was due; None for a run by hand.")
    slot_until_at: datetime | None = Field(description="The last of its slots.")
    attempts: int
    reason: str | None = Field(description="Why it ended so, in words.")
    counts: Counts | None = Field(description="What it counted, by name; None if it told nothing.")
    stop_asked_by: str | None


class AttemptLine(Model):
    """One attempt of a run's task."""

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


class RunPage(Model):
    """All that is known of one run but its log."""

    run: RunLine = Field(description="Its reason is whole here.")
    going: Going | None = Field(description="None once it has ended.")
    progress: Part | None = Field(description="What it reported last.")
    traceback: str | None
    attempts: list[AttemptLine] = Field(description="Its attempts, if there were several.")
    process: str = Field(description="The process that ran it.", examples=["process 4711 on lab-1"])
    late_seconds: float | None = Field(description="How long after its slot it started; None without a slot.")
    before: int | None = Field(description="The run of the same job before it.")
    after: int | None = Field(description="The run of the same job after it.")
    used: list[OtherRun] = Field(description="The runs of its job's dependencies that it used.")
    used_by: list[OtherRun] = Field(description="The newest runs that used it, 100 at most.")
    result: Any = Field(description="What it returned: JSON, with dates and decimals as texts; None if none is kept.")
    has_result: bool
    config: dict[str, Any] | None = Field(description="How its job was described then; None if that is unknown.")
    kept_because: str | None = Field(description="Why it is still there after somebody deleted it.")
