"""What the API's requests may say: parameters in paths and queries, and bodies."""

import re
from datetime import datetime, timezone
from typing import Annotated

from fastapi import Path, Query
from pydantic import BeforeValidator, ConfigDict, Field, WithJsonSchema

from janitor.jobs.schedules import EPOCH
from janitor.web.queries import models
from janitor.web.queries.history import Filter

MOST_ID = 2**53
"""The highest id that is taken: above it, not every JSON parser keeps whole numbers."""
LAST = datetime(9999, 1, 1, tzinfo=timezone.utc)
_INSTANT = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)")
_TEXT = r"^[^\x00]*$"
_WORDS = r"^[^\x00]*\S[^\x00]*$"


def _instant(value: object) -> object:
    """An instant of RFC 3339, moved into the years that every database knows."""
    if not isinstance(value, str) or not _INSTANT.fullmatch(value):
        raise ValueError("give an instant with its offset, such as 2026-01-31T12:00:00Z")
    return min(max(datetime.fromisoformat(value.upper()), EPOCH), LAST)


def _flag(value: object) -> object:
    if value not in ("true", "false", True, False):
        raise ValueError("give true or false")
    return value in ("true", True)


JobId = Annotated[str, Path(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.\-]{0,63}$", description="The job's id.")]
RunId = Annotated[int, Path(ge=1, le=MOST_ID, description="The run's id.")]
AnId = Annotated[int, Field(ge=1, le=MOST_ID)]
Instant = Annotated[datetime, BeforeValidator(_instant), WithJsonSchema({"type": "string", "format": "date-time"})]
Flag = Annotated[bool, BeforeValidator(_flag), WithJsonSchema({"type": "boolean"})]
Before = Annotated[AnId | None, Query(description="Only what has a lower id: `next_before` of the last page.")]
Limit = Annotated[int, Query(ge=1, le=500, description="How many at most.")]
Offset = Annotated[int, Query(ge=0, le=MOST_ID, description="How many are left out before the first.")]
OfJob = Annotated[str | None, Query(max_length=64, pattern=_TEXT, description="Only what concerns this job.")]


class RunsQuery(models.Model):
    """The query of a list of runs; a name that is not known is left out."""

    model_config = ConfigDict(extra="ignore")

    outcome: models.Outcome | None = Field(None, description="Only runs with this outcome.")
    origin: models.Origin | None = Field(None, description="Only runs that began for this reason.")
    since: Instant | None = Field(None, description="Only what began at this instant or later.")
    until: Instant | None = Field(None, description="Only what began before this instant.")
    before: Before = None
    limit: Limit = 50

    def filter(self, job: str | None = None) -> Filter:
        """What the runs must fit: the runs of a job; None for the runs of all jobs."""
        return Filter(job, self.outcome, self.origin, self.since, self.until)


class Body(models.Model):
    """The body of a request; a name that is not known is refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class RunWish(Body):
    """How a job is to run."""

    dry_run: bool = Field(False, description="Only count what would be done.")
    confirm: str = Field("", max_length=64, description="The job's id, if the job is protected.")


class RetryWish(Body):
    """What the next run is to look at first."""

    key: str | None = Field(None, max_length=255, pattern=_TEXT, description="One key; null for all.")


class DropWish(Body):
    """What is given up."""

    key: str = Field(max_length=255, pattern=_TEXT)
    note: str = Field(max_length=2_000, pattern=_WORDS, description="Why.", examples=["thrown away in 2019"])
