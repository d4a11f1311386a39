"""Health, for whoever restarts, routes or alerts: does the clock tick, is the daemon ready, how are the jobs."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from fastapi.responses import JSONResponse

from janitor.engine.heartbeat import DEAD_SECONDS
from janitor.jobs.job import Job
from janitor.web.access.permissions import viewer
from janitor.web.desk import Desk
from janitor.web.metrics.page import Metrics, metrics_of
from janitor.web.metrics.vitals import WAIT_SECONDS, Signs
from janitor.web.parameters import desk

METHODS = ["GET", "HEAD"]
"""Watchers that look at the status only ask with HEAD."""

router = APIRouter(prefix="/health", include_in_schema=False)

Daemon = Annotated[Desk, Depends(desk)]
Measured = Annotated[Metrics, Depends(metrics_of)]


@router.api_route("/live", methods=METHODS)
async def live(desk: Daemon) -> JSONResponse:
    """200 while the clock ticks, 503 where it has not for 30 s; no server, nor any other request, delays the answer."""
    silent = desk.daemon.heartbeat.silent_seconds()
    alive = silent is not None and silent <= DEAD_SECONDS
    status = "alive" if alive else "the clock does not tick"
    found = {"status": status, "silent_seconds": None if silent is None else round(silent, 3)}
    return JSONResponse(found, 200 if alive else 503)


@router.api_route("/ready", methods=METHODS)
def ready(desk: Daemon, metrics: Measured) -> JSONResponse:
    """200 where the state database answers within 2 s and is this release's, whether this daemon leads or stands by."""
    failure = metrics.vitals.schema.get(WAIT_SECONDS).failure
    # The reason may name hosts and users: it is in the log, and not for whoever asks without signing in.
    status = "ready" if failure is None else "the state database does not answer, or is another release's"
    role = "leading" if desk.daemon.leading else "standing by"
    return JSONResponse({"status": status, "role": role}, 200 if failure is None else 503)


@router.api_route("/jobs", methods=METHODS, dependencies=[Depends(viewer)])
def jobs(desk: Daemon, metrics: Measured) -> JSONResponse:
    """Each job's state; 503 where one is overdue, or where the state database cannot tell."""
    answer = metrics.vitals.signs.get(WAIT_SECONDS)
    if answer.value is None or answer.failure is not None:
        return JSONResponse({"status": f"not known: {answer.failure}", "jobs": {}}, 503)
    signs = answer.value
    running = {live.job.id for live in list(desk.runner.live.values())} | signs.elsewhere
    found = {job.id: _state(job, signs, job.id in running) for job in desk.jobs.values()}
    late = [job for job, state in found.items() if state["overdue_since"] is not None]
    status = f"overdue: {', '.join(late)}" if late else "no job is overdue"
    return JSONResponse({"status": status, "jobs": found}, 503 if late else 200)


def _state(job: Job, signs: Signs, running: bool) -> dict[str, Any]:
    record, completion, success = signs.known.get(job.id), signs.completions.get(job.id), signs.successes.get(job.id)
    return {
        "enabled": job.enabled,
        "paused": record is not None and record.paused_at is not None,
        "running": running,
        "last_outcome": completion.outcome if completion else None,
        "last_completion_at": _text(completion.ended_at) if completion else None,
        "last_success_at": _text(success.ended_at) if success else None,
        "overdue_since": _text(signs.overdue.get(job.id)),
    }


def _text(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat().replace("+00:00", "Z")
