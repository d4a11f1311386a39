"""The last 24 hours."""

from datetime import datetime

from pydantic import Field

from janitor.web.queries.models.jobs import Condition
from janitor.web.queries.models.model import Model
from janitor.web.queries.models.notices import DeliveryLine, NoticeLine
from janitor.web.queries.models.pipelines import PipelineLine
from janitor.web.queries.models.runs import Going, Outcome, RunLine


class TimelineBar(Model):
    """A run in the timeline; or several runs of one job, one after the other, with the outcome of the worst."""

    outcome: Outcome
    started_at: datetime
    ended_at: datetime = Field(description="Now, for a run that goes on.")
    runs: int
    run: int = Field(description="The run; of several, the newest with this outcome.")
    counted: dict[Outcome, int] = Field(description="How many of the runs had each outcome.")


class TimelineRow(Model):
    """One job in the timeline."""

    job: str
    bars: list[TimelineBar]


class Hour(Model):
    """What was done in one hour, by the runs that ended in it."""

    at: datetime = Field(description="When the hour began; the last hour is not over yet.")
    published: int = Field(description="Messages published: the count `published` of runs.")
    rows: int = Field(description="Rows synced: the counts `inserted`, `updated`, `deleted` and `repaired`.")


class TroubleLine(Model):
    """A part of the daemon that fails again and again, or something else that a person must know of the daemon."""

    part: str
    since: datetime
    failures: int = Field(description="How often it failed; 0 for what is no failure: the daemon works all the same.")
    why: str = Field(description="Why it failed last, or what is wrong.")


class Overview(Model):
    """How the last 24 hours went."""

    now: datetime
    since: datetime
    conditions: dict[Condition, int] = Field(description="How many jobs are in each condition.")
    timeline: list[TimelineRow] = Field(description="Up to 20 jobs: those in trouble, those at work, then the others.")
    running: list[Going] = Field(description="The runs that go on, the oldest first; up to 10.")
    failed: list[RunLine] = Field(description="The newest runs that failed or timed out, within these hours.")
    hours: list[Hour]
    notices: list[NoticeLine] = Field(description="Notices that are not over, the oldest first; up to 10.")
    open_notices: int = Field(description="How many notices are not over; 100 if they are more.")
    undelivered: list[DeliveryLine] = Field(description="Deliveries that failed or are tried again; up to 10.")
    pipelines: list[PipelineLine] = Field(description="The pipelines that are here, or of which items are kept.")
    troubles: list[TroubleLine] = Field(description="What is wrong with the daemon itself.")
