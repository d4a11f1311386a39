"""Pages of runs and actions."""

from datetime import datetime

from pydantic import Field

from janitor.web.queries.models.model import Model
from janitor.web.queries.models.runs import RunLine


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
    next: str | None = Field(description="`before` for the next page; None if there is none.")


class RunList(Model):
    """A page of runs, the newest first."""

    runs: list[RunLine]
    next_before: int | None = Field(description="`before` for the next page; None if there is none.")


class ActionList(Model):
    """A page of actions, the newest first."""

    actions: list[Action]
    next_before: int | None = Field(description="`before` for the next page; None if there is none.")
