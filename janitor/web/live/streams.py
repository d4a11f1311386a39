"""Live streams: what runs and jobs do, as server-sent events, at most a second behind.

`/runs/{id}/events` tells of one run, in this process or another:

    run         its line, as `run` of `/api/runs/{id}`: at first, and when it changes
    progress    what it has reported, as `progress` there: a tree of parts
    log         a list of lines, as those of its log under `/api`; the event's id is that of its last line
    end         its line once more: no further event comes, and the stream ends

`?after=ID` begins behind a line of the log. So does the header `Last-Event-ID`, which browsers send as they come back.

`/events` tells of all jobs:

    jobs        {"jobs": {id: {run, outcome, at, seconds, slots, paused}}, "open_notices": 0}: at
                first all jobs, then those that changed; run is the newest record, outcome `running` while it runs
    items       {"pipelines": [name, ...]}: those whose items have come, moved or gone; at first all that have items

Both tell with `trouble` ({"error": "..."}) that the state database cannot be asked at this moment. They tell it with an
empty text when the database answers again.
"""

import time
from collections.abc import AsyncIterator, Iterator
from typing import Annotated

from fastapi import APIRouter, Depends, Header, HTTPException, Path, Query, Request
from fastapi.responses import Response, StreamingResponse

from janitor.state import run_records
from janitor.web.access.permissions import viewer
from janitor.web.injected import TheDesk
from janitor.web.live.channel import as_json
from janitor.web.live.hub import MOST_VIEWERS, Hub
from janitor.web.live.run_channel import Line, RunChannel

HEARTBEAT_SECONDS = 15.0
"""How long a stream may say nothing: proxies cut silent streams."""
STREAM_SECONDS = 900.0
"""How long a stream lasts. A browser then comes back by itself, and shows again that it may look."""
RETRY = b"retry: 3000\n\n"
STILL_HERE = b": still here\n\n"
MOST = 2**63 - 1

router = APIRouter(dependencies=[Depends(viewer)], include_in_schema=False)


def hub_of(request: Request) -> Hub:
    """The hub of the application that a request goes to.

    Raises:
        HTTPException: 503, if too many watch already, or the daemon stops.
    """
    hub: Hub = request.app.state.hub
    if hub.viewers >= MOST_VIEWERS or hub.is_closed:
        raise HTTPException(503, f"{MOST_VIEWERS} people watch already, or the daemon stops", {"Retry-After": "10"})
    return hub


@router.get("/runs/{run_id}/events")
def run_events(
    request: Request,
    run_id: Annotated[int, Path(ge=1, le=MOST)],
    desk: TheDesk,
    after: Annotated[int, Query(ge=0, le=MOST)] = 0,
    last_event_id: Annotated[str, Header()] = "",
) -> Response:
    """Stream what a run does until it has ended."""
    hub = hub_of(request)
    with desk.state.read() as connection:
        row = run_records.get(connection, run_id)
    if row is None:
        raise HTTPException(404, f"there is no run {run_id}")
    position = max(after, int(last_event_id)) if last_event_id.isdecimal() and len(last_event_id) < 19 else after
    return _stream(_of_run(hub, run_id, position))


@router.get("/events")
async def job_events(request: Request) -> Response:
    """Stream the changes of all jobs' states."""
    return _stream(_of_jobs(hub_of(request)))


def event(name: str, data: bytes, id: int | None = None) -> bytes:
    """One event as it is sent. Its data are JSON, and so hold no line break."""
    return b"event: %b\n%bdata: %b\n\n" % (name.encode(), b"" if id is None else b"id: %d\n" % id, data)


def _stream(events: AsyncIterator[bytes]) -> Response:
    return StreamingResponse(events, media_type="text/event-stream", headers={"X-Accel-Buffering": "no"})


async def _of_run(hub: Hub, run_id: int, position: int) -> AsyncIterator[bytes]:
    until, told, trouble, version = time.monotonic() + STREAM_SECONDS, (b"", b""), "", 0
    yield RETRY
    with hub.run(run_id) as channel:
        while not hub.is_closed and time.monotonic() < until:
            if not await channel.wait(version, HEARTBEAT_SECONDS):
                yield STILL_HERE
                continue
            version = channel.version
            if channel.trouble != trouble:
                trouble = channel.trouble
                yield event("trouble", as_json({"error": trouble}))
            if trouble:
                continue
            for news in _changed(channel, told):
                yield news
            told = channel.run, channel.progress
            while lines := await _next_lines(hub, channel, position):
                position = lines[-1][0]
                yield event("log", b"[%b]" % b",".join(text for _, text in lines), position)
            if channel.has_ended:
                yield event("end", channel.run or b"null")
            if channel.is_over:
                return


def _changed(channel: RunChannel, told: tuple[bytes, bytes]) -> Iterator[bytes]:
    """The events `run` and `progress`, if they differ from what was told last."""
    for name, text, before in zip(("run", "progress"), (channel.run, channel.progress), told, strict=True):
        if text and text != before:
            yield event(name, text)


async def _next_lines(hub: Hub, channel: RunChannel, position: int) -> list[Line]:
    kept = channel.kept_after(position)
    return await hub.older_lines(channel.run_id, position) if kept is None else kept


async def _of_jobs(hub: Hub) -> AsyncIterator[bytes]:
    until, opened, trouble, version = time.monotonic() + STREAM_SECONDS, -1, "", 0
    yield RETRY
    with hub.jobs() as channel:
        while not hub.is_closed and time.monotonic() < until and not channel.is_over:
            if not await channel.wait(version, HEARTBEAT_SECONDS):
                yield STILL_HERE
                continue
            if channel.trouble != trouble:
                trouble = channel.trouble
                yield event("trouble", as_json({"error": trouble}))
            moved = channel.moved_since(version)
            changed, version = channel.changed_since(version), channel.version
            if moved:
                yield event("items", as_json({"pipelines": moved}))
            if changed or channel.open_notices != opened:
                opened = channel.open_notices
                yield event("jobs", as_json({"jobs": changed, "open_notices": opened}))
