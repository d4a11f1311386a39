"""The list of jobs."""

from typing import Any

from fastapi import Request
from fastapi.responses import Response

from janitor.state import job_records
from janitor.web.charts.of_models import strip_of
from janitor.web.desk import Desk
from janitor.web.injected import TheDesk, Viewer
from janitor.web.pages.page import Offset, Text, lately, page, page_router
from janitor.web.queries.jobs import job_lines
from janitor.web.rendering import with_query

LINES = 50
"""How many jobs a page shows."""

router = page_router()


@router.get("/jobs")
def jobs(request: Request, desk: TheDesk, user: Viewer, tag: Text = "", offset: Offset = 0) -> Response:
    """All jobs, or the jobs with a tag; 50 on a page."""
    found = lately(request, "jobs", lambda: _values(desk))
    lines = [line for line in found["jobs"] if not tag or tag in line.tags]
    shown, drawn = lines[offset : offset + LINES], found["strips"]
    for line in shown:
        if line.id not in drawn:
            drawn[line.id] = strip_of(line)
    before = {"tag": tag, "offset": max(0, offset - LINES) or None}
    after = {"tag": tag, "offset": offset + LINES}
    more = {
        "jobs": shown,
        "tag": tag,
        "count": len(lines),
        "gone": found["gone"] if not tag and len(lines) <= offset + LINES else (),
        "newer": with_query("/jobs", before) if offset else None,
        "older": with_query("/jobs", after) if len(lines) > offset + LINES else None,
    }
    return page(request, desk, user, "jobs.html", **found | more)


def _values(desk: Desk) -> dict[str, Any]:
    moment = desk.now()
    with desk.state.read() as connection:
        lines = job_lines(connection, desk.jobs, moment)
        gone = sorted(job_records.all_jobs(connection).keys() - desk.jobs.keys())
    troubled = sum(line.condition in ("overdue", "failing") for line in lines)
    tags = sorted({name for line in lines for name in line.tags})
    # Strips are drawn when a page first shows them, and kept as long as these values.
    return {"jobs": lines, "gone": gone, "strips": {}, "tags": tags, "troubled": troubled, "now": moment}
