"""What the API answers: models of its own, errors, and how requests read the state database."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any, TypeVar

from fastapi import HTTPException
from pydantic import Field
from sqlalchemy import Connection

from janitor.jobs.job import Job
from janitor.runs.bounds import listed_near
from janitor.web.desk import Desk
from janitor.web.queries import models
from janitor.web.queries.kept import Kept, kept_of

T = TypeVar("T")
SAYS = {
    400: "The request's body is no JSON.",
    401: "Nobody known is asking.",
    403: "The user may not do this.",
    404: "There is no such thing.",
    409: "At this moment this cannot be done.",
    413: "The body of the request is larger than is taken here.",
    422: "Something in the request is malformed.",
    503: "The state database is away, or the daemon is stopping.",
}
"""What each status means, in the API's document."""


class JobList(models.Model):
    """Some of the jobs: overdue jobs first, then failing jobs."""

    now: datetime
    jobs: list[models.JobLine]
    count: int = Field(description="How many jobs there are in all.")


class Started(models.Model):
    """A run that has begun."""

    run: int


class Changed(models.Model):
    """Whether anything changed: false if it was so already."""

    changed: bool


class Counted(models.Model):
    """How many quarantined rows were changed."""

    rows: int


def errors(*codes: int) -> dict[int | str, dict[str, Any]]:
    """The errors that a route may answer, for the API's document: these, and those of every route."""
    return {code: {"model": models.Error, "description": SAYS[code]} for code in (401, 403, *codes, 422, 503)}


@contextmanager
def reading(desk: Desk) -> Iterator[tuple[Connection, datetime]]:
    """A connection that reads the state database, and this moment."""
    with desk.state.read() as connection:
        yield connection, desk.now()


def job_of(desk: Desk, job: str) -> Job:
    """The job of that id.

    Raises:
        HTTPException: 404, if there is none.
    """
    if job not in desk.jobs:
        raise HTTPException(404, f"there is no job {job}; the jobs are {listed_near(job, desk.jobs)}")
    return desk.jobs[job]


def kept_job(desk: Desk, job: str) -> Kept:
    """A job that is there, or of which anything is kept.

    Raises:
        HTTPException: 404, if there is no such job.
    """
    with desk.state.read() as connection:
        return kept_of(connection, desk.jobs, job) or Kept(job_of(desk, job).id, ())


def found(thing: T | None, what: str) -> T:
    """A thing that was looked for.

    Raises:
        HTTPException: 404, if it is None.
    """
    if thing is None:
        raise HTTPException(404, f"there is no {what}")
    return thing
