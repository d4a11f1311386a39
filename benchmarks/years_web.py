"""Every page and every API call of a daemon, as the application itself lists them: how long each takes."""

import http.client
import json
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlencode, urlsplit

from fastapi import FastAPI

from benchmarks.measures import seconds_of
from benchmarks.processes import Failed
from benchmarks.years_figures import Asked
from janitor.web.serving.app import PAGES, PARTS

TOKEN = "the-benchmarks-may-do-all"
"""The operator's token of the daemon that is measured."""
TURNS = 3
GIVEN = {"job": "job_7", "job_id": "job_7", "run": "500", "run_id": "500"}
"""What stands in an address for each of its parameters."""
CHANGED = {"job": "job_{turn}", "job_id": "job_{turn}", "run": "53{turn}", "run_id": "51{turn}"}
"""The same for a change, whose turns concern different things: nobody can delete a run twice."""
MORE = (
    "/openapi.json", "/static/janitor.js", "/static/janitor.css", "/jobs?offset=500", "/history?job=job_7",
    "/history?outcome=failed", "/history?what=runs", "/history?what=actions", "/api/jobs?offset=500",
    "/api/jobs?limit=500", "/api/jobs/job_7/runs?limit=500", "/api/runs?outcome=failed", "/api/runs?origin=by_hand",
)  # fmt: skip
"""Further addresses that a person meets."""
BODIES: Mapping[str, Mapping[str, Any]] = {
    "/api/jobs/{job}/run": {"dry_run": False, "confirm": ""},
    "/api/jobs/{job}/quarantine/retry": {"key": None},
    "/api/jobs/{job}/quarantine/drop": {"key": "DN1", "note": "x"},
}
APART = {
    "POST /sign-in": "it hashes a password, which is slow on purpose",
    "POST /sign-out": "it ends a session, and a token has none",
}
"""Requests that are left out, and why."""
OF_ITEMS = "/{pipeline}"
"""What concerns a pipeline is asked for by `items_pages.py`, at 1,000,000 items."""
NO_GOAL = {
    "GET /metrics": "it tells some forty values of each job, and no person waits for it",
    "GET /api/jobs?limit=500": "it tells ten pages of jobs at once, a megabyte",
}
"""Requests without a goal, and why."""
LOOKS = ("GET", "HEAD")
ANSWERS = {True: (200, 503), False: (200, 202, 303, 404, 409)}
"""What a look may be answered, and a change: that a job is overdue, that a run has ended, that there is no such row."""


def requests() -> list[str]:
    """Each request that the application answers, such as `GET /jobs/{job_id}`; pages come first, deletions last.

    Raises:
        Failed: an address has a parameter for which there is no value here.
    """
    found = [f"{method} {path}" for method, path in (*_routes(), *(("GET", path) for path in MORE))]
    found = [request for request in found if OF_ITEMS not in request]
    found = sorted(found, key=lambda request: request.startswith("DELETE"))
    for request in found:
        try:
            _address(request, 0)
        except KeyError as exc:
            raise Failed(f"{request}: GIVEN in benchmarks/years_web.py has no value for {exc}") from exc
    return [request for request in dict.fromkeys(found) if request not in APART]


def _routes() -> Iterator[tuple[str, str]]:
    bare = FastAPI()
    for part in sorted(PARTS, key=lambda part: part not in PAGES):
        for route in part.router.routes:
            yield from ((method, getattr(route, "path", "")) for method in getattr(route, "methods", ()) or ())
        bare.include_router(part.router)
    # The routers within the API's are told by its document alone.
    for path, operations in bare.openapi()["paths"].items():
        yield from ((method.upper(), path) for method in operations)


def ask_all(address: str) -> list[Asked]:
    """Make each request three times."""
    found = []
    for request in requests():
        times = [seconds_of(lambda: _ask(address, request, turn)) * 1000 for turn in range(TURNS)]
        found.append(Asked(request, times[0], max(times[1:])))
    return found


def first_page(address: str) -> float:
    """Ask for the first page: milliseconds."""
    return seconds_of(lambda: _ask(address, "GET /", 0)) * 1000


def _address(request: str, turn: int) -> str:
    method, _, path = request.partition(" ")
    values = GIVEN if method in LOOKS else {name: text.format(turn=turn) for name, text in CHANGED.items()}
    return path.format(**values)


def _ask(address: str, request: str, turn: int) -> None:
    """Make a request, and read its answer; of a stream the first event.

    Raises:
        Failed: the answer is an error.
    """
    method, _, path = request.partition(" ")
    headers = {"Authorization": f"Bearer {TOKEN}", "Accept": "application/json, text/html"}
    body = None
    if method not in LOOKS:
        of_api = path.startswith("/api/")
        body = json.dumps(BODIES.get(path, {})) if of_api else urlencode({"key": "DN1", "note": "x"})
        headers["Content-Type"] = "application/json" if of_api else "application/x-www-form-urlencoded"
    connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=60)
    try:
        connection.request(method, _address(request, turn), body, headers)
        answer = connection.getresponse()
        if answer.getheader("Content-Type", "").startswith("text/event-stream"):
            while answer.readline().partition(b":")[0] != b"data":
                pass
        else:
            answer.read()
    finally:
        connection.close()
    if answer.status not in ANSWERS[method in LOOKS]:
        raise Failed(f"{request} was answered with {answer.status}")
