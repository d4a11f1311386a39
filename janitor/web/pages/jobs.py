"""The list of jobs."""

from typing import Any

from fastapi import Request
from fastapi.responses import Response

from janitor.web.charts.of_models import strip_of
from janitor.web.desk import Desk
from janitor.web.injected import TheDesk, Viewer
from janitor.web.pages.page import Offset, Text, lately, page, page_router
from janitor.web.queries.jobs import job_lines, job_order
from janitor.web.rendering import with_query

LINES = 50
"""How many jobs a page shows."""

router = page_router()


@router.get("/jobs")
def jobs(request: Request, desk: TheDesk, user: Viewer, tag: Text = "", offset: Offset = 0) -> Response:
    """All jobs, or the jobs with a tag; 50 on a page."""
    found = lately(request, f"jobs {offset} {tag}", lambda: _values(desk, tag, offset))
    before = {"tag": tag, "offset": max(0, offset - LINES) or None}
    after = {"tag": tag, "offset": offset + LINES}
    more = {
        "tag": tag,
        "gone": found["gone"] if not tag and found["count"] <= offset + LINES else (),
        "newer": with_query("/jobs", before) if offset else None,
        "older": with_query("/jobs", after) if found["count"] > offset + LINES else None,
    }
    return page(request, desk, user, "jobs.html", **found | more)


def _values(desk: Desk, tag: str, offset: int) -> dict[str, Any]:
    # A copy: the jobs may be replaced meanwhile.
    all_jobs, moment = dict(desk.jobs), desk.now()
    with desk.state.read() as connection:
        order = job_order(connection, all_jobs, moment)
        names = [name for name in order.conditions if not tag or tag in all_jobs[name].tags]
        lines = job_lines(connection, all_jobs, order, names[offset : offset + LINES])
    gone = sorted(order.overall.records.keys() - all_jobs.keys())
    return {
        "jobs": lines,
        "count": len(names),
        "gone": gone,
        "strips": {line.id: strip_of(line) for line in lines},
        "tags": sorted({name for job in all_jobs.values() for name in job.tags}),
        "troubled": sum(condition in ("overdue", "failing") for condition in order.conditions.values()),
        "now": moment,
    }
