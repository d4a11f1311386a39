"""A daemon's desk with its web server, in the test's own process, whose clock does not go."""

import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email.message import Message
from pathlib import Path
from typing import Any

from sqlalchemy import URL

from janitor import memory
from janitor.errors import Skip
from janitor.feeds import position_after
from janitor.needs import ExchangeNeed
from janitor.scheduler import Scheduler
from janitor.state.quarantine import Quarantined
from janitor.web.desk import Desk
from janitor.web.serving import server
from tests.small_engine import runner_for, settings_for


def follow() -> dict[str, Any]:
    """Insert, publish, save a cursor, and find a row that cannot be delivered."""
    memory.save_cursor("follow", position_after("41"))
    memory.Quarantine("follow").settle((), [Quarantined("DN1", "no user", "1"), Quarantined("DN2", "no user", "2")])
    return {
        "inserted": 5,
        "moved": 2,
        "published": 3,
        "already_published": 4,
        "quarantined": 2,
        "note": "x",
        "ok": True,
    }


def reconcile() -> dict[str, Any]:
    """Find rows that are missing and different."""
    return {"checked": 90, "missing": 4, "different": 3, "repaired": 7}


def fail() -> None:
    """Fail."""
    raise ValueError("odd")


def decline() -> None:
    """Find nothing to do."""
    raise Skip("there is nothing new")


def add_jobs(scheduler: Scheduler) -> None:
    """Jobs by the names of their functions."""
    scheduler.add_job(follow, "interval", minutes=5, needs=(ExchangeNeed("SEQUENCING_PUBLISHER_EXCHANGE"),))
    scheduler.add_job(reconcile, "cron", hour=1)
    scheduler.add_job(fail, "interval", hours=1)
    scheduler.add_job(decline, "interval", hours=1, enabled="it is off here")


@dataclass(frozen=True)
class Answered:
    """What the server said."""

    status: int
    text: str
    headers: Message


@contextmanager
def served(url: URL, folder: Path, add_jobs: Callable[[Scheduler], None], **more: str) -> Iterator[tuple[Desk, str]]:
    """A desk with jobs on the state database `url`, and the address at which it is served."""
    settings = settings_for(url, folder, **{"WEB_PORT": "0"} | more)
    scheduler = Scheduler(settings)
    add_jobs(scheduler)
    with runner_for(settings) as runner:
        desk = Desk(scheduler.daemon(runner))
        with server.serving(desk) as address:
            yield desk, address


def ask(address: str, method: str = "GET", **headers: str) -> Answered:
    """One request; an error is an answer too."""
    request = urllib.request.Request(address, headers=headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=30) as response:
            return Answered(response.status, response.read().decode(), response.headers)
    except urllib.error.HTTPError as exc:
        return Answered(exc.code, exc.read().decode(), exc.headers)
