"""The page of one run."""

from functools import partial
from typing import Annotated, Any

from fastapi import HTTPException, Query, Request
from fastapi.responses import Response

from janitor.web.desk import Desk
from janitor.web.injected import TheDesk, Viewer
from janitor.web.pages.page import Text, page, page_router
from janitor.web.queries import models
from janitor.web.queries.given import arguments, beginning
from janitor.web.queries.logs import log_of
from janitor.web.queries.runs import run_page
from janitor.web.rendering import with_query

LINES = 500
"""How many lines of its log the page shows."""
LEVELS = (("", "all"), ("INFO", "info and above"), ("WARNING", "warnings and errors"), ("ERROR", "errors"))

router = page_router()


@router.get("/runs/{run_id}")
def run(
    request: Request,
    desk: TheDesk,
    user: Viewer,
    run_id: int,
    level: Text = "",
    after: Annotated[int, Query(ge=0, le=2**53)] = 0,
) -> Response:
    """One run: how it ended and why, what it did, its log."""
    moment, level = desk.now(), level if level in dict(LEVELS) else ""
    with desk.state.read() as connection:
        view = run_page(connection, run_id, moment, partial(beginning, mask=desk.runner.mask))
        if view is None:
            raise HTTPException(404, f"There is no run {run_id}: it was never begun, or the history forgot it.")
        # Of a run that goes on, the page shows what it logged last.
        tail = view.going is not None and not after
        log = log_of(connection, run_id, after, LINES, tail=tail, least=level)
    assert log is not None
    values = {**_about(desk, view), **_log(f"/runs/{run_id}", log, level, after)}
    return page(request, desk, user, "run.html", **values, now=moment)


def _about(desk: Desk, view: models.RunPage) -> dict[str, Any]:
    known = view.run.job in desk.jobs
    return {
        "view": view,
        "run": view.run,
        "known": known,
        "protected": known and desk.jobs[view.run.job].protect,
        "arguments": arguments(view.config, {one.job: one.run for one in view.used if one.kept}),
        "result": view.result,
    }


def _log(path: str, log: models.LogLines, level: str, after: int) -> dict[str, Any]:
    more = with_query(path, {"level": level, "after": log.next_after})
    return {
        "lines": log.lines,
        "last_line": log.next_after,
        "level": level,
        "levels": LEVELS,
        "first_page": f"{with_query(path, {'level': level})}#log" if after else None,
        "more_lines": f"{more}#log" if log.more else None,
    }
