"""Every page of pipelines and items, and every answer of the API about them, as the application lists them."""

import urllib.request
from collections.abc import Iterator
from pathlib import Path

from fastapi import FastAPI
from sqlalchemy import URL

from benchmarks.items_fill import add_pipelines
from benchmarks.measures import seconds_of
from benchmarks.processes import Failed
from janitor.engine.allocator import collect_seldom, set_aside
from janitor.scheduler import Scheduler
from janitor.web.serving.app import PARTS
from tests.web.desks import served

TURNS = 3
KEY = "s7_9"
"""An item that has failed."""
GIVEN = {"pipeline": "settled", "key": KEY, "step": "step_0"}
"""What stands in an address for each of its parameters."""
MORE = (
    "/pipelines/settled?state=failed", "/pipelines/settled?state=open", "/pipelines/settled?state=done",
    "/pipelines/settled?step=step_9&status=processed", "/pipelines/settled?step=step_0&state=later",
    "/pipelines/settled?key=s7_9", "/pipelines/settled?span=year", "/pipelines/settled?state=done&after=1000",
    "/pipelines/waiting", "/pipelines/waiting?state=ready",
)  # fmt: skip
"""Further addresses that a person meets."""
WANTED = {"/pipelines/{pipeline}/item": "?key=" + KEY}
"""What a page wants to be asked."""


def slowest(url: URL, folder: Path) -> tuple[str, float]:
    """Ask for each several times; the slowest and its milliseconds. The first round lets the server load its parts.

    Then what has been loaded is set aside, as a daemon does once its dashboard is there.
    """
    taken: dict[str, float] = {}
    collect_seldom()
    with served(url, folder, _add_jobs) as (_, address):
        for turn in range(TURNS):
            set_aside()
            for path in paths():
                milliseconds = seconds_of(lambda: _ask(address, path)) * 1000
                taken[path] = max(taken.get(path, 0.0), milliseconds if turn else 0.0)
    what = max(taken, key=lambda path: taken[path])
    return what, taken[what]


def paths() -> list[str]:
    """The addresses, without the server's.

    Raises:
        Failed: there is no page of pipelines, or an address has a parameter for which there is no value here.
    """
    found = [path for path in dict.fromkeys(_routes()) if "pipelines" in path]
    if not found:
        raise Failed("the application lists no page of pipelines")
    try:
        filled = [path.replace(":path}", "}").format(**GIVEN) + WANTED.get(path, "") for path in found]
    except KeyError as exc:
        raise Failed(f"GIVEN in benchmarks/items_pages.py has no value for {exc}") from exc
    return [*filled, *MORE]


def _routes() -> Iterator[str]:
    bare = FastAPI()
    for part in PARTS:
        for route in part.router.routes:
            if "GET" in (getattr(route, "methods", ()) or ()):
                yield getattr(route, "path", "")
        bare.include_router(part.router)
    # The routers within the API's are told by its document alone.
    yield from (path for path, operations in bare.openapi()["paths"].items() if "get" in operations)


def _add_jobs(scheduler: Scheduler) -> None:
    add_pipelines(scheduler)


def _ask(address: str, path: str) -> None:
    with urllib.request.urlopen(address + path, timeout=60) as answer:
        answer.read()
