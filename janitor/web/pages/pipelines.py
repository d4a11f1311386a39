"""The list of pipelines."""

from typing import Any

from fastapi import Request
from fastapi.responses import Response

from janitor.web.charts.of_items import bar_of
from janitor.web.desk import Desk
from janitor.web.injected import TheDesk, Viewer
from janitor.web.pages.page import lately, page, page_router
from janitor.web.queries.pipelines import pipeline_lines

router = page_router()


@router.get("/pipelines")
def pipelines(request: Request, desk: TheDesk, user: Viewer) -> Response:
    """All pipelines: how many items are where, how fast they go, and what waits."""
    return page(request, desk, user, "pipelines.html", **lately(request, "pipelines", lambda: _values(desk)))


def _values(desk: Desk) -> dict[str, Any]:
    moment = desk.now()
    with desk.state.read() as connection:
        lines = pipeline_lines(connection, desk.jobs, moment)
    bars = {(line.name, step.name): bar_of(line.name, step) for line in lines for step in line.steps}
    return {"pipelines": lines, "bars": bars, "now": moment}
