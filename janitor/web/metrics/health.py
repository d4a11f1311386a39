"""Health, for whoever restarts, routes or alerts: does the clock tick, is the daemon ready, is a job overdue."""

from datetime import datetime
from typing import Any

from fastapi import APIRouter, Depends
from fastapi.responses import JSONResponse

from janitor.engine.heartbeat import DEAD_SECONDS
from janitor.jobs.job import Job
from janitor.web.access.permissions import viewer
from janitor.web.injected import TheDesk
from janitor.web.metrics.scrape import TheMetrics
from janitor.web.metrics.vitals import WAIT_SECONDS, Signs

METHODS = ["GET", "HEAD"]
"""HEAD is for watchers that look at the status only."""

router = APIRouter(prefix="/health", include_in_schema=False)


@router.api_route("/live", methods=METHODS)
async def live(desk: TheDesk) -> JSONResponse:
    """200 if the clock has ticked in the last 30 s, else 503. The answer waits for no server and no other request."""
    silent = desk.daemon.heartbeat.silent_seconds()
    alive = silent is not None and silent <= DEAD_SECONDS
    status = "alive" if alive else "the clock does not tick"
    found = {"status": status, "silent_seconds": None if silent is None else round(silent, 3)}
    return JSONResponse(found, 200 if alive else 503)


@router.api_route("/ready", methods=METHODS)
def ready(desk: TheDesk, metrics: TheMetrics) -> JSONResponse:
    """200 if the state database answers within 2 s and is this release's, and no part fails again and again.

    A daemon that stands by is ready too.
    """
    failure = metrics.vitals.schema.get(WAIT_SECONDS).failure
    failing = [trouble.duty for trouble in desk.runner.loops.troubles]
    # The reasons may name hosts and users. They are in the log: anybody may ask this, without signing in.
    if failure is not None:
        status = "the state database does not answer, or is another release's"
    else:
        status = f"these fail again and again: {', '.join(failing)}" if failing else "ready"
    role = "leading" if desk.daemon.leading else "standing by"
    return JSONResponse({"status": status, "role": role}, 200 if status == "ready" else 503)


@router.api_route("/jobs", methods=METHODS, dependencies=[Depends(viewer)])
def jobs(desk: TheDesk, metrics: TheMetrics) -> JSONResponse:
    """Each job's state; 503 if a job is overdue, or if the state database cannot tell."""
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
