"""The page of one pipeline: how far its items are, and those of them that are wanted."""

from datetime import timedelta
from typing import Any

from fastapi import HTTPException, Request
from fastapi.responses import Response
from sqlalchemy import Connection

from janitor.errors import BadSetting
from janitor.runs.bounds import listed_near
from janitor.state.item_search import Wanted
from janitor.state.item_states import IN_PROCESS, NOT_PROCESSED
from janitor.web import addresses
from janitor.web.charts.of_items import bar_of, open_items
from janitor.web.desk import Desk
from janitor.web.injected import TheDesk, Viewer
from janitor.web.pages.page import Text, lately, page, page_router
from janitor.web.queries import models
from janitor.web.queries.history import Filter, action_list
from janitor.web.queries.items import item_list
from janitor.web.queries.known_pipelines import KnownPipeline, all_pipelines, known
from janitor.web.queries.pipeline_history import pipeline_history
from janitor.web.queries.pipelines import pipeline_page
from janitor.web.rendering import markdown

LINES, ACTIONS = 50, 10
"""How many items the page shows, and how many of the things that people did."""
STATES = ("open", "done", "failed", "waiting", "ready", "later", "processing", "blocked", "left out")
SPANS = {
    "hour": (timedelta(hours=1), 60),
    "day": (timedelta(days=1), 72),
    "month": (timedelta(days=30), 60),
    "year": (timedelta(days=365), 73),
}
"""How far back the chart goes, and how many columns it has."""

router = page_router()


@router.get("/pipelines/{pipeline}")
def items(
    request: Request,
    desk: TheDesk,
    user: Viewer,
    pipeline: str,
    key: Text = "",
    step: Text = "",
    status: Text = "",
    state: Text = "",
    flagged: bool = False,
    after: Text = "",
    span: Text = "day",
) -> Response:
    """One pipeline: how far its items are at each step, and a page of those that are wanted."""
    with desk.state.read() as connection:
        found = known_or_404(desk, connection, pipeline)
    filters = _filters(found, key=key.strip(), step=step, status=status, state=state, flagged=flagged)
    place = int(after) if after.isascii() and after.isdigit() and len(after) < 17 else None
    span = span if span in SPANS else "day"
    name = f"items {pipeline} {span} {place} {sorted(filters.items())}"
    values = lately(request, name, lambda: _values(desk, found, filters, place, span))
    return page(request, desk, user, "items.html", **values)


def known_or_404(desk: Desk, connection: Connection, name: str) -> KnownPipeline:
    """A pipeline that is there, or of which items are kept.

    Raises:
        HTTPException: 404, if there is no such pipeline.
    """
    found = known(connection, desk.jobs, name)
    if found is None:
        names = [one.name for one in all_pipelines(connection, desk.jobs)]
        told = f"The pipelines are {listed_near(name, names)}." if names else "There are no pipelines."
        raise HTTPException(404, f"There is no pipeline {name}. {told}")
    return found


def wanted_of(pipeline: str, key: str, step: str, status: str, state: str, flagged: bool) -> Wanted:
    """What a page's filters ask for. A key is how keys begin, with a * at its end or without."""
    pattern = key if key.endswith("*") or not key else f"{key}*"
    return Wanted(pipeline, step or None, status or None, state or None, pattern or None, flagged)


def statuses_of(found: KnownPipeline) -> list[str]:
    """The statuses that an item can have at a step."""
    return [NOT_PROCESSED, IN_PROCESS, *found.plan.kinds]


def _filters(found: KnownPipeline, **asked: Any) -> dict[str, Any]:
    """What was asked for, as far as it can be: an address may be old."""
    known_values = {
        "step": [one.name for one in found.plan.steps],
        "status": statuses_of(found),
        "state": STATES,
    }
    return asked | {name: asked[name] if asked[name] in values else "" for name, values in known_values.items()}


def _values(desk: Desk, found: KnownPipeline, filters: dict[str, Any], place: int | None, span: str) -> dict[str, Any]:
    moment, (length, parts) = desk.now(), SPANS[span]
    with desk.state.read() as connection:
        view = pipeline_page(connection, desk.jobs, found, moment)
        history = pipeline_history(connection, found.plan, moment - length, moment, parts, with_steps=False)
        done = action_list(connection, Filter(found.name), ACTIONS)
        listing = _listing(connection, found, filters, place)
    return {
        "view": view,
        "pipeline": view.pipeline,
        "bars": {(found.name, step.name): bar_of(found.name, step) for step in view.pipeline.steps},
        "chart": open_items(found.name, history.moments, moment - length, moment, parts),
        "moments": history.moments,
        "span": span,
        "spans": {name: addresses.of_pipeline(found.name, **filters, span=name) for name in SPANS},
        "notes": markdown(view.notes),
        "done": [models.Event(at=one.at, run=None, action=one) for one in done.actions],
        "now": moment,
        **listing,
    }


def _listing(
    connection: Connection, found: KnownPipeline, filters: dict[str, Any], place: int | None
) -> dict[str, Any]:
    listing, wrong = models.ItemList(items=[], count=0, is_counted_out=True, next_after=None), ""
    try:
        listing = item_list(connection, found.plan, wanted_of(found.name, **filters), LINES, place)
    except BadSetting as exc:
        wrong = str(exc)
    older = addresses.of_pipeline(found.name, **filters, after=listing.next_after)
    return {
        "listing": listing,
        "wrong": wrong,
        "filters": filters,
        "filtered": any(filters.values()),
        "states": STATES,
        "statuses": statuses_of(found),
        "newer": f"{addresses.of_pipeline(found.name, **filters)}#items" if place is not None else None,
        "older": f"{older}#items" if listing.next_after is not None else None,
    }
