"""Rows that could not be delivered."""

from datetime import datetime

from pydantic import Field

from janitor.web.queries.models.model import Model


class QuarantineLine(Model):
    """The rows of one key that cannot be delivered, for one reason."""

    key: str
    reason: str
    items: int = Field(description="How many parts of it wait.")
    first_at: datetime
    last_at: datetime | None = Field(description="When it was last looked at; None if the next run looks at it first.")
    dropped_at: datetime | None
    dropped_by: str | None
    note: str | None = Field(description="Why it was given up.")


class QuarantineList(Model):
    """A page of a quarantine, the oldest first."""

    keys: int = Field(description="How many keys are in it, on all pages.")
    rows: list[QuarantineLine]
    next_offset: int | None = Field(description="`offset` for the next page; None if there is none.")
