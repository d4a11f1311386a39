"""The page of one job."""

from typing import Any

from fastapi import Request
from fastapi.responses import Response
from sqlalchemy import Connection

from janitor.jobs.job import Job
from janitor.web.charts.of_models import charts_of
from janitor.web.desk import Desk
from janitor.web.injected import TheDesk, Viewer
from janitor.web.pages.graph import graph_values
from janitor.web.pages.page import OUTCOMES, Offset, Text, job_of, known_outcome, now, page, page_router
from janitor.web.queries.history import Filter, history_of
from janitor.web.queries.jobs import job_page
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
    """One job: what it is, how its runs went, what waits in its quarantine."""
    wanted, outcome = job_of(desk, job_id), known_outcome(outcome)
    path, shown = f"/jobs/{job_id}", {"outcome": outcome, "dropped": dropped and "true"}
    with desk.state.read() as connection:
        values = {
            **_about(connection, desk, wanted),
            **_quarantine(connection, job_id, path, shown, offset=offset, dropped=dropped),
            **_history(connection, desk, job_id, path, shown, outcome=outcome, before=before),
        }
    return page(request, desk, user, "job.html", **values, picture=graph_values(desk, job_id)["picture"])


def _about(connection: Connection, desk: Desk, wanted: Job) -> dict[str, Any]:
    moment = now()
    view = job_page(connection, desk.jobs, wanted, desk.settings, moment)
    return {
        "view": view,
        "job": view.job,
        "charts": charts_of(view.points),
        "notes": markdown(view.notes),
        "now": moment,
    }


def _quarantine(
    connection: Connection, job_id: str, path: str, shown: dict[str, Any], *, offset: int, dropped: bool
) -> dict[str, Any]:
    kept = quarantine_list(connection, job_id, QUARANTINED, offset, dropped=dropped)
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
