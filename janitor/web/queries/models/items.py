"""Items, as lists and pages show them; without their secrets."""

from datetime import datetime
from typing import Any, Literal

from pydantic import Field

from janitor.web.queries.models.model import Model
from janitor.web.queries.models.pipelines import Kind, Progress, Standing

ItemState = Literal["open", "done", "failed"]


class StepBadge(Standing):
    """Where an item is at one step."""

    step: str
    since_at: datetime
    tries: int = Field(description="How many tries have ended; a try that was interrupted does not count.")


class ItemLine(Model):
    """One item, as a list shows it."""

    id: int
    key: str
    state: ItemState
    priority: int = Field(description="A larger one goes first.")
    order_at: datetime = Field(description="Of the same priority, the oldest goes first.")
    added_at: datetime
    expires_at: datetime | None = Field(description="After that it is not begun.")
    ended_at: datetime | None
    origin: str = Field(description="Where it came from.", examples=["by hand"])
    flag: str | None = Field(description="What people are to look at; None if it has no flag that is open.")
    progress: Progress
    steps: list[StepBadge] = Field(description="Each step after those that it needs.")


class ItemList(Model):
    """A page of items, the newest first; of items that are done or failed, those that ended last."""

    items: list[ItemLine]
    count: int = Field(description="How many items fit, on all pages.")
    is_counted_out: bool = Field(description="Whether these are all; else there are more than `count`.")
    next_after: int | None = Field(description="`after` for the next page; None if there is none.")


class ItemAttempt(Model):
    """One try of a step on an item."""

    id: int
    step: str
    run: int
    run_is_kept: bool = Field(description="Whether that run is still on record.")
    started_at: datetime
    seconds: float
    status: str
    kind: Kind | None = Field(description="None if the try was interrupted, or put off.")
    reason: str | None
    code: str | None = Field(description="What whoever asked is told of an error, if the step gave it a code.")
    traceback: str | None
    log: str | None = Field(description="What was logged during the try.")


class Flag(Model):
    """What people are to look at, and what became of it."""

    note: str
    at: datetime
    by: str
    resolution: str | None
    resolved_at: datetime | None
    resolved_by: str | None


class ReplyLine(Model):
    """One way by which somebody is told what came of an item."""

    id: int
    reply: str
    state: Literal["waiting", "sent", "given up"]
    due_at: datetime = Field(description="When it is tried next, or was tried last.")
    tries: int
    ended_at: datetime | None
    reason: str | None = Field(description="Why it could not be delivered.")


class ItemPage(Model):
    """All that is known of one item."""

    item: ItemLine
    args: Any = Field(description="Its arguments.")
    results: dict[str, Any] = Field(description="What each step has left: JSON, with dates and decimals as texts.")
    needs: dict[str, dict[str, str]] = Field(description="What each step needs of the steps before it.")
    attempts: list[ItemAttempt] = Field(description="Its attempts, the newest first; 100 at most.")
    replies: list[ReplyLine] = Field(description="Its replies, the newest first; 50 at most.")
    flag: Flag | None = Field(description="Its newest flag, open or resolved.")
    times: int = Field(description="How often it was begun as a whole.")


class LetterLine(Model):
    """One dead letter: a message that could not become an item."""

    id: int
    inbox: str
    at: datetime
    key: str | None = Field(description="The item's key, as far as it could be read.")
    reason: str
    message: str = Field(description="The message without its secrets; a list shows its beginning.")
    bytes: int
    is_whole: bool = Field(description="Whether the message can be taken again: nothing of it was cut or taken out.")


class LetterList(Model):
    """A page of dead letters that nobody has dropped, the newest first."""

    letters: list[LetterLine]
    count: int = Field(description="How many there are, on all pages.")
    next_after: int | None = Field(description="`after` for the next page; None if there is none.")
