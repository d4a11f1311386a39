"""The application: every router, the headers of every answer, and what an error looks like."""

from collections.abc import MutableMapping
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.staticfiles import StaticFiles
from starlette.types import Message, Receive, Scope, Send

from janitor import __version__
from janitor.web.access import sign_in
from janitor.web.access.gate import Gate
from janitor.web.access.hosts import host_is_ours
from janitor.web.api import router as api
from janitor.web.desk import Desk
from janitor.web.live import streams
from janitor.web.live.hub import Hub
from janitor.web.metrics import counters, health, scrape
from janitor.web.metrics.counters import Metrics
from janitor.web.pages import (
    actions,
    graph,
    history,
    item,
    item_actions,
    items,
    job,
    jobs,
    letters,
    notices,
    overview,
    pipelines,
    run,
)
from janitor.web.queries.lately import Lately
from janitor.web.serving import document, refusals
from janitor.web.serving.headers import HEADERS, NOT_KEPT

ITEMS = (pipelines, letters, items, item, item_actions)
PAGES = (overview, jobs, graph, job, run, history, notices, actions, *ITEMS)
PARTS = (api, sign_in, streams, *PAGES, health, scrape)
"""The modules with a router, in the order in which an address is looked for."""
STATIC = Path(__file__).parent.parent / "static"
MAX_BODY = 64 * 1024
"""The largest body of a request: bytes. The forms hold a name, a password, or a note."""
TOO_LARGE, SAYS_TOO_LARGE = 413, "the body of this request is larger than is taken here: send less at once"


class Application(FastAPI):
    """FastAPI with the security headers on every answer, errors included."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                _guard(message, scope["path"])
            await send(message)

        is_too_large = False

        async def send_told(message: Message) -> None:
            # The framework's bound on bodies answers before an error of ours could, and in plain text.
            nonlocal is_too_large
            if message.get("status") == TOO_LARGE:
                is_too_large = True
                await JSONResponse({"error": SAYS_TOO_LARGE}, TOO_LARGE)(scope, receive, send_guarded)
            elif not is_too_large:
                await send_guarded(message)

        host = Headers(scope=scope).get("host", "") if scope["type"] == "http" else ""
        if scope["type"] == "http" and not host_is_ours(self.state.desk.settings, host):
            refused = JSONResponse({"error": "this dashboard is not at this address: see WEB_URL"}, 403)
            await refused(scope, receive, send_guarded)
            return
        await super().__call__(scope, receive, send_told)

    def openapi(self) -> dict[str, Any]:
        """The OpenAPI document, made when somebody first asks for it."""
        if self.openapi_schema is None:
            self.openapi_schema = document.completed(super().openapi(), self.state.gate.is_open)
        return self.openapi_schema


def _guard(message: MutableMapping[str, Any], path: str) -> None:
    headers = MutableHeaders(scope=message)
    for name, value in HEADERS.items():
        headers[name] = value
    name, usual = NOT_KEPT
    headers.setdefault(name, "no-cache" if path.startswith("/static/") else usual)


def make_app(desk: Desk, counted: Metrics | None = None) -> FastAPI:
    """The web application of one daemon; it opens nothing. Without `counted` it counts from now on."""
    app = Application(
        title="Janitor",
        version=__version__,
        description="Jobs, runs, quarantine and metrics of one Janitor.",
        docs_url=None,
        redoc_url=None,
        telemetry={"tracing": False, "metrics": False, "logs": False},
        max_body_size=MAX_BODY,
    )
    app.state.desk, app.state.gate = desk, Gate(desk.settings)
    app.state.hub, app.state.metrics = Hub(desk.state, desk.jobs, desk.runner.loops), counted or counters.watch(desk)
    app.state.lately = Lately()
    refusals.install(app)
    for part in PARTS:
        app.include_router(part.router)
    if STATIC.is_dir():
        app.mount("/static", StaticFiles(directory=STATIC), name="static")
    return app
