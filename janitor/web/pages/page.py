"""What the dashboard's pages share: the frame of a page, and the errors that all of them tell."""

from collections.abc import Callable
from typing import Annotated, Any, get_args

from fastapi import APIRouter, HTTPException, Query, Request
from fastapi.responses import HTMLResponse, Response
from sqlalchemy import Connection

from janitor.jobs.job import Job
from janitor.runs.bounds import listed_near
from janitor.state import actions, notices
from janitor.web.access.gate import User
from janitor.web.access.permissions import csrf_token, signs_in
from janitor.web.desk import Desk
from janitor.web.queries import models
from janitor.web.queries.kept import Kept, kept_of
from janitor.web.queries.lately import Lately
from janitor.web.rendering import in_background, render

OUTCOMES: tuple[str, ...] = get_args(models.Outcome)
Text = Annotated[str, Query(max_length=300)]
Offset = Annotated[int, Query(ge=0, le=10_000_000)]


def page_router() -> APIRouter:
    """A router whose answers are pages; the API's document leaves them out."""
    return APIRouter(include_in_schema=False, default_response_class=HTMLResponse)


def page(request: Request, desk: Desk, user: User, template: str, **values: Any) -> Response:
    """A page: a template with its values, and what every page shows to somebody who has signed in."""
    with desk.state.read() as connection:
        count = notices.count_open(connection)
    common: dict[str, Any] = {
        "user": user,
        "csrf": csrf_token(request),
        "signs_in": signs_in(request),
        "open_notices": count,
    }
    return render(request, template, **common | values)


def lately(request: Request, name: str, find: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """What a page shows: found anew for a person; a second old at most for a page that keeps itself up to date."""
    known: Lately = request.app.state.lately
    values: dict[str, Any] = known.get(name, find, fresh=not in_background(request))
    return values


def job_of(desk: Desk, job_id: str) -> Job:
    """The job of that id.

    Raises:
        HTTPException: 404, if there is none.
    """
    if job_id not in desk.jobs:
        raise HTTPException(404, f"There is no job {job_id}. The jobs are {listed_near(job_id, desk.jobs)}.")
    return desk.jobs[job_id]


def kept_or_404(desk: Desk, connection: Connection, job_id: str) -> Kept:
    """A job that is there, or of which anything is kept.

    Raises:
        HTTPException: 404, if there is no such job.
    """
    kept = kept_of(connection, desk.jobs, job_id)
    if kept is None and (newer := actions.new_id(connection, job_id)) is not None:
        raise HTTPException(404, f"There is no job {job_id} any more: it is called {newer} now.")
    return kept or Kept(job_of(desk, job_id).id, ())


def known_outcome(outcome: str) -> str:
    """The outcome that a list is narrowed to; empty if there is no such outcome."""
    return outcome if outcome in OUTCOMES else ""
