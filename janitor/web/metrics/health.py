"""Health, for whoever restarts, routes or alerts: does the clock tick, is the daemon ready, is a job overdue."""

from datetime import datetime
from typing import Any

from fastapi import APIRouter, Depends
from fastapi.responses import JSONResponse

from janitor.jobs.job import Job
from janitor.web.access.permissions import viewer
from janitor.web.injected import TheDesk
from janitor.web.metrics import probes
from janitor.web.metrics.scrape import TheMetrics
from janitor.web.metrics.vitals import WAIT_SECONDS, Signs

METHODS = ["GET", "HEAD"]
"""HEAD is for watchers that look at the status only."""

router = APIRouter(prefix="/health", include_in_schema=False)


@router.api_route("/live", methods=METHODS)
async def live(desk: TheDesk) -> JSONResponse:
    """Whether the clock ticks; to a connection that has asked for something else before, the door does not listen."""
    return _answer(probes.live(desk))


@router.api_route("/ready", methods=METHODS)
def ready(desk: TheDesk, metrics: TheMetrics) -> JSONResponse:
    """Whether the daemon is ready."""
    return _answer(probes.ready(desk, metrics.vitals))


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


def _answer(told: probes.Told) -> JSONResponse:
    status, found = told
    return JSONResponse(found, status)


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
