"""The page of the dependency graph."""

from functools import partial
from typing import Any, get_args

from fastapi import Request
from fastapi.responses import Response

from janitor.web.charts.graph import Shown, around, picture
from janitor.web.desk import Desk
from janitor.web.injected import TheDesk, Viewer
from janitor.web.pages.page import Text, lately, page, page_router
from janitor.web.queries import models
from janitor.web.queries.graph import graph_of
from janitor.web.rendering import with_query

STATUSES: tuple[str, ...] = get_args(models.Status)

router = page_router()


@router.get("/graph")
def graph(request: Request, desk: TheDesk, user: Viewer, tag: Text = "", whole: bool = False) -> Response:
    """How all jobs depend on one another, or the jobs with a tag."""
    # Only graphs of tags that exist are remembered: anybody may ask for any other tag.
    known = any(tag in ("", *job.tags) for job in desk.jobs.values())
    find = partial(graph_values, desk, None, tag=tag, whole=whole)
    drawn = lately(request, f"graph {whole} {tag}", find) if known else find()
    sized = with_query("/graph", {"tag": tag, "whole": not whole and "true"})
    return page(request, desk, user, "graph.html", **drawn, tag=tag, whole=whole, sized=sized, now=desk.now())


def graph_values(desk: Desk, job_id: str | None, *, tag: str = "", whole: bool = False) -> dict[str, Any]:
    """The picture of all jobs, or of the jobs before and behind a job; their tags, and how many have each status."""
    all_jobs = around(desk.jobs, job_id)
    shown = {name: job for name, job in all_jobs.items() if not tag or tag in job.tags}
    with desk.state.read() as connection:
        nodes = graph_of(connection, shown).jobs
    statuses = {node.id: node.status for node in nodes}
    running = {node.id for node in nodes if node.running}
    return {
        "picture": picture(shown, Shown(statuses, running, job_id or ""), whole),
        "tags": sorted({name for job in all_jobs.values() for name in job.tags}),
        "counts": [(name, sum(status == name for status in statuses.values())) for name in STATUSES],
        "running": len(running),
    }
