"""The first page: the last 24 hours across all jobs."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from fastapi import Request
from fastapi.responses import Response

from janitor.web.charts import of_models
from janitor.web.charts.lane import lane_times
from janitor.web.desk import Desk
from janitor.web.injected import TheDesk, Viewer
from janitor.web.pages.page import lately, page, page_router
from janitor.web.queries import models
from janitor.web.queries.overview import overview_of

CHARTS = (
    ("Messages published per hour", "messages", "published"),
    ("Rows synced per hour", "rows", "rows"),
)

router = page_router()


@router.get("/")
def overview(request: Request, desk: TheDesk, user: Viewer) -> Response:
    """The last 24 hours across all jobs."""
    return page(request, desk, user, "overview.html", **lately(request, "overview", lambda: _values(desk)))


def _values(desk: Desk) -> dict[str, Any]:
    moment = desk.now()
    with desk.state.read() as connection:
        view = overview_of(connection, desk.jobs, moment, desk.all_troubles)
    troubled = view.conditions.get("overdue", 0) + view.conditions.get("failing", 0)
    undelivered = [one for one in view.undelivered if (one.ended_at or moment) >= view.since]
    return {
        "view": view,
        "now": moment,
        "charts": [_chart(view.hours, *one) for one in CHARTS],
        "failures": _alike(view.failed),
        "undelivered": undelivered,
        "troubled": troubled,
        "failing": troubled or any(one.failures for one in view.troubles),
        "verdict": _verdict(view, troubled, bool(undelivered)),
        **_timeline(view),
    }


def _chart(hours: Sequence[models.Hour], title: str, unit: str, field: str) -> dict[str, Any]:
    total = sum(getattr(hour, field) for hour in hours)
    return {"title": title, "unit": unit, "field": field, "total": total, "drawn": of_models.hours(hours, field, unit)}


def _timeline(view: models.Overview) -> dict[str, Any]:
    span, minutes = of_models.span(view)
    since = view.now - timedelta(hours=span)
    lanes = [(row.job, of_models.lane_of(row, since, view.now, minutes)) for row in view.timeline]
    return {"span": span, "since": since, "hours": lane_times(since, view.now, minutes), "lanes": lanes}


def _alike(failed: Sequence[models.RunLine]) -> list[tuple[models.RunLine, int]]:
    """Runs of a job that failed for the same reason, as one: the newest, and how many they are."""
    found: dict[tuple[str, str, str | None], tuple[models.RunLine, int]] = {}
    for run in failed:
        newest, count = found.get((run.job, run.outcome, run.reason), (run, 0))
        found[run.job, run.outcome, run.reason] = newest, count + 1
    return list(found.values())


def _verdict(view: models.Overview, troubled: int, undelivered: bool) -> str:
    count = sum(view.conditions.values())
    if troubled:
        return f"{troubled} of {count} jobs {'needs' if troubled == 1 else 'need'} you"
    if failing := [one for one in view.troubles if one.failures]:
        one = len(failing) == 1
        return f"{len(failing)} part{'' if one else 's'} of the daemon fail{'s' if one else ''} again and again"
    if view.troubles:
        return f"No job fails, but look at {' and '.join(one.part for one in view.troubles)}"
    if view.notices:
        return f"No job fails, but {view.open_notices} notice{'s are' if view.open_notices > 1 else ' is'} open"
    if undelivered:
        return "No job fails, but not every notice was delivered"
    if view.conditions.get("new", 0) == count:
        return "Nothing has run yet"
    return "All is well"
