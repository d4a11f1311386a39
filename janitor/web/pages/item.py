"""The page of one item."""

import json
from functools import partial
from typing import Any

from fastapi import HTTPException, Request
from fastapi.responses import Response

from janitor.logs.mask import Mask
from janitor.web.charts.of_items import steps_of
from janitor.web.desk import Desk
from janitor.web.injected import TheDesk, Viewer
from janitor.web.pages.items import known_or_404
from janitor.web.pages.page import Text, page, page_router
from janitor.web.queries.given import beginning
from janitor.web.queries.items import item_page

router = page_router()


@router.get("/pipelines/{pipeline}/item")
def item_by_key(request: Request, desk: TheDesk, user: Viewer, pipeline: str, key: Text) -> Response:
    """One item, whose key no path can hold."""
    return page(request, desk, user, "item.html", **_values(desk, pipeline, key))


@router.get("/pipelines/{pipeline}/items/{key:path}")
def item(request: Request, desk: TheDesk, user: Viewer, pipeline: str, key: str) -> Response:
    """One item: where it is at each step, its attempts, arguments, results and replies."""
    return page(request, desk, user, "item.html", **_values(desk, pipeline, key))


def _values(desk: Desk, pipeline: str, key: str) -> dict[str, Any]:
    mask = desk.runner.mask
    with desk.state.read() as connection:
        found = known_or_404(desk, connection, pipeline)
        view = item_page(connection, found.plan, key, partial(beginning, mask=mask), partial(_plain, mask=mask))
    if view is None:
        raise HTTPException(404, f"There is no item {key} in {pipeline}: it was never added, or it is deleted.")
    now = desk.now()
    failed = [step.step for step in view.item.steps if step.state in ("failed", "later")]
    return {
        "view": view,
        "item": view.item,
        "pipeline": pipeline,
        "picture": steps_of(pipeline, view),
        "failed": failed,
        "late_replies": any(
            one.state == "given up" or (one.state == "waiting" and one.due_at > now) for one in view.replies
        ),
        "planned": {step.name for step in found.plan.steps},
        "now": now,
    }


def _plain(text: str, mask: Mask) -> Any:
    """Arguments without secrets."""
    return mask.value(json.loads(text))
