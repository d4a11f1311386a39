"""The page of one job, there or gone."""

from collections.abc import Sequence
from typing import Any

from fastapi import Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy import Connection

from janitor.jobs.job import Job
from janitor.web import addresses
from janitor.web.charts.of_models import charts_of
from janitor.web.desk import Desk
from janitor.web.injected import TheDesk, Viewer
from janitor.web.pages.graph import graph_values
from janitor.web.pages.page import OUTCOMES, Offset, Text, kept_or_404, known_outcome, page, page_router
from janitor.web.queries.history import Filter, history_of
from janitor.web.queries.jobs import job_page
from janitor.web.queries.kept import Kept, gone_job
from janitor.web.queries.known_pipelines import known
from janitor.web.queries.quarantine import quarantine_list
from janitor.web.rendering import markdown, with_query

EVENTS = 20
"""How many lines of its history the page shows."""
QUARANTINED = 25
"""How many quarantined keys the page shows."""

router = page_router()


@router.get("/jobs/{job_id}")
def job(
    request: Request,
    desk: TheDesk,
    user: Viewer,
    job_id: str,
    outcome: Text = "",
    before: Text = "",
    dropped: bool = False,
    offset: Offset = 0,
) -> Response:
    """One job: what it is, how its runs went, what waits in its quarantine. If it is gone: what is kept of it."""
    outcome, wanted = known_outcome(outcome), desk.jobs.get(job_id)
    path, shown = f"/jobs/{job_id}", {"outcome": outcome, "dropped": dropped and "true"}
    with desk.state.read() as connection:
        if wanted is None and known(connection, desk.jobs, job_id) is not None:
            # What people do to items is on record under the name of their pipeline.
            return RedirectResponse(addresses.of_pipeline(job_id), 303)
        kept = kept_or_404(desk, connection, job_id)
        values = {
            **(_about(connection, desk, wanted) if wanted is not None else _about_gone(connection, desk, kept)),
            **_quarantine(connection, kept.names, path, shown, offset=offset, dropped=dropped),
            **_history(connection, desk, job_id, path, shown, outcome=outcome, before=before),
        }
    if wanted is None:
        return page(request, desk, user, "gone.html", **values)
    return page(request, desk, user, "job.html", **values, picture=graph_values(desk, job_id)["picture"])


def _about(connection: Connection, desk: Desk, wanted: Job) -> dict[str, Any]:
    moment = desk.now()
    view = job_page(connection, desk.jobs, wanted, desk.settings, moment)
    return {
        "view": view,
        "job": view.job,
        "charts": charts_of(view.points),
        "notes": markdown(view.notes),
        "now": moment,
    }


def _about_gone(connection: Connection, desk: Desk, kept: Kept) -> dict[str, Any]:
    view = gone_job(connection, kept)
    return {"view": view, "job": view, "now": desk.now()}


def _quarantine(
    connection: Connection, names: Sequence[str], path: str, shown: dict[str, Any], *, offset: int, dropped: bool
) -> dict[str, Any]:
    kept = quarantine_list(connection, names, QUARANTINED, offset, dropped=dropped)
    newer = with_query(path, shown | {"offset": max(0, offset - QUARANTINED)})
    older = with_query(path, shown | {"offset": kept.next_offset})
    return {
        "quarantine": kept,
        "dropped": dropped,
        "quarantine_newer": f"{newer}#quarantine" if offset else None,
        "quarantine_older": f"{older}#quarantine" if kept.next_offset is not None else None,
    }


def _history(
    connection: Connection, desk: Desk, job_id: str, path: str, shown: dict[str, Any], *, outcome: str, before: str
) -> dict[str, Any]:
    found = history_of(connection, desk.jobs, Filter(job_id, outcome or None), EVENTS, before or None)
    return {
        "history": found,
        "outcome": outcome,
        "outcomes": OUTCOMES,
        "newer": f"{with_query(path, shown)}#history" if before else None,
        "older": f"{with_query(path, shown | {'before': found.next})}#history" if found.next else None,
    }
