"""The history: every run and every action, the newest first."""

from datetime import date, datetime, timedelta, timezone

from fastapi import Request
from fastapi.responses import Response
from sqlalchemy import Connection

from janitor.web.desk import Desk
from janitor.web.injected import TheDesk, Viewer
from janitor.web.pages.page import OUTCOMES, Text, known_outcome, page, page_router
from janitor.web.queries import models
from janitor.web.queries.history import Filter, action_list, history_of, run_list
from janitor.web.rendering import with_query

EVENTS = 50
"""How many lines a page shows."""
KINDS = (("", "runs and actions"), ("runs", "runs"), ("actions", "what people did"))

router = page_router()


@router.get("/history")
def history(
    request: Request,
    desk: TheDesk,
    user: Viewer,
    job: Text = "",
    outcome: Text = "",
    what: Text = "",
    until: Text = "",
    before: Text = "",
) -> Response:
    """Every run and every action, the newest first."""
    outcome, day = known_outcome(outcome) if what != "actions" else "", _day(until)
    filters = {"job": job, "outcome": outcome, "what": what, "until": day.date().isoformat() if day else ""}
    wanted = Filter(job or None, outcome or None, until=day + timedelta(days=1) if day else None)
    with desk.state.read() as connection:
        found = _events(connection, desk, wanted, what, before or None)
    values = {
        "history": found,
        "filters": filters,
        "filtered": any(filters.values()),
        "job_ids": sorted({*desk.jobs, *([job] if job else [])}),
        "outcomes": OUTCOMES,
        "kinds": KINDS,
        "newer": with_query("/history", filters) if before else None,
        "older": with_query("/history", filters | {"before": found.next}) if found.next else None,
    }
    return page(request, desk, user, "history.html", **values)


def _events(connection: Connection, desk: Desk, wanted: Filter, what: str, before: str | None) -> models.History:
    """A page of the history: runs and actions, or one kind of them alone."""
    place = int(before) if before and before.isdigit() and len(before) < 17 else None
    if what == "runs":
        runs = run_list(connection, desk.jobs, wanted, EVENTS, place)
        events = [models.Event(at=one.started_at, run=one, action=None) for one in runs.runs]
        return models.History(events=events, next=_text(runs.next_before))
    if what == "actions":
        done = action_list(connection, wanted, EVENTS, place)
        events = [models.Event(at=one.at, run=None, action=one) for one in done.actions]
        return models.History(events=events, next=_text(done.next_before))
    return history_of(connection, desk.jobs, wanted, EVENTS, before)


def _text(place: int | None) -> str | None:
    return None if place is None else str(place)


def _day(text: str) -> datetime | None:
    try:
        return datetime.combine(date.fromisoformat(text), datetime.min.time(), timezone.utc)
    except (ValueError, OverflowError):
        return None
