"""Pipelines, as lists and pages show them."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from janitor.web.queries.models.model import Model

Kind = Literal["ok", "warning", "error"]
StepState = Literal["waiting", "ready", "later", "processing", "done", "failed", "blocked", "left out"]
LOOKS = {"processing": "processing", "failed": "error", "blocked": "blocked", "left out": "left_out"}
"""How each state looks; the others wait, or have ended with a status whose kind tells it."""
WORDS = {
    "waiting": "waiting for other steps",
    "ready": "ready",
    "later": "waiting for another try",
    "blocked": "blocked",
    "left out": "left out",
}
"""What people read of states that have no status of their own."""


class Standing(Model):
    """Where something is at a step."""

    state: StepState
    status: str = Field(examples=["processed"])
    kind: Kind | None = Field(description="The kind of its status; None until it has ended.")

    @property
    def look(self) -> str:
        """How it is coloured: by its kind, once it has one."""
        return LOOKS.get(self.state, (self.kind or "ok") if self.state == "done" else "waiting")

    @property
    def words(self) -> str:
        """What people read of it: its status, or why it has none."""
        return WORDS.get(self.state, self.status)


class StatusCount(Standing):
    """How many items have a status at a step."""

    items: int


class Progress(Model):
    """How far items are: each step of each item counts once."""

    all: int
    done: int = Field(description="Those that have ended well, or were left out for good reason.")
    waiting: int = Field(description="Those that can be taken, or wait for other steps or another try.")
    processing: int
    blocked: int = Field(description="Those that can never begin: a step that they need has ended with an error.")
    failed: int
    share: float = Field(description="`done` of `all`, 0 to 1: 1 only if all is done.")


class StepLine(Model):
    """One step of a pipeline, with all items that are at it."""

    name: str
    job: str = Field(description="The id of its job.")
    needs: dict[str, str] = Field(description="The status that it needs of each step before it.")
    off: str | None = Field(description="Why it takes nothing: it is paused, switched off, or gone; else None.")
    counts: list[StatusCount] = Field(description="How many items have which status.")
    progress: Progress
    oldest_waiting_at: datetime | None = Field(description="Since when the next item waits; None if none can be taken.")
    attempts: int = Field(description="How many attempts there ever were.")
    seconds_each: float | None = Field(description="How long an attempt has taken on average; None without any.")
    per_hour: float | None = Field(
        description="How many items it ends in an hour, by the last minutes; None if unknown."
    )
    seconds_left: float | None = Field(
        description="How long its items take at that rate; None if they do not end at that rate, or it is unknown."
    )


class PipelineLine(Model):
    """One pipeline."""

    name: str
    title: str
    here: bool = Field(description="Whether this daemon has it; else it is gone, and its items are kept.")
    items: int
    open: int = Field(description="Items that have not ended.")
    done: int = Field(description="Items that have ended without an error.")
    failed: int = Field(description="Items that have ended with an error.")
    progress: Progress
    steps: list[StepLine] = Field(description="Each step after those that it needs.")
    oldest_waiting_at: datetime | None = Field(description="Since when some item waits that could be taken.")
    per_hour: float | None = Field(description="How many steps of items it ends in an hour, by the last minutes.")
    seconds_left: float | None = Field(
        description="How long all that waits takes at that rate: as long as its slowest step."
    )
    dead_letters: int = Field(description="Messages that could not become items, and that nobody has dropped.")
    replies_waiting: int
    replies_given_up: int


class PipelineList(Model):
    """All pipelines."""

    now: datetime
    pipelines: list[PipelineLine]


class PipelinePage(Model):
    """All that is known of one pipeline but its items."""

    pipeline: PipelineLine
    statuses: dict[str, Kind] = Field(description="Each status with which a step can end, and its kind.")
    inboxes: list[str] = Field(description="Where its items come from.")
    replies: list[str] = Field(description="Who is told what came of them.")
    on_duplicate: str = Field(description="What becomes of a key that is there already.", examples=["reply"])
    flagged: int = Field(description="Items with a flag that nobody has resolved; 1,000 if they are more.")
    notes: str = Field(description="Its notes, in Markdown.")
    file: str = Field(description="The jobs file that it stands in; empty for a pipeline of `run.py`.")


class Moment(Model):
    """How many items were where at a moment."""

    at: datetime
    open: int
    done: int
    failed: int
    steps: dict[str, Progress] = Field(description="How far items were at each step.")


class PipelineHistory(Model):
    """How many items were where, the oldest moment first."""

    moments: list[Moment]
