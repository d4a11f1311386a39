"""A daemon's desk with its web server, in the test's own process, whose clock does not go."""

import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email.message import Message
from pathlib import Path

from sqlalchemy import URL

from janitor.scheduler import Scheduler
from janitor.web import server
from janitor.web.desk import Desk
from tests.engine import runner_for, settings_for


@dataclass(frozen=True)
class Answered:
    """What the server said."""

    status: int
    text: str
    headers: Message


@contextmanager
def served(url: URL, folder: Path, add_jobs: Callable[[Scheduler], None], **more: str) -> Iterator[tuple[Desk, str]]:
    """A desk with jobs on the state database `url`, and the address at which it is served."""
    settings = settings_for(url, folder, WEB_PORT="0", **more)
    scheduler = Scheduler(settings)
    add_jobs(scheduler)
    with runner_for(settings) as runner:
        desk = Desk(scheduler, runner)
        with server.serving(desk) as address:
            yield desk, address


def ask(address: str, **headers: str) -> Answered:
    """One GET request; an error is an answer too."""
    try:
        with urllib.request.urlopen(urllib.request.Request(address, headers=headers), timeout=30) as response:
            return Answered(response.status, response.read().decode(), response.headers)
    except urllib.error.HTTPError as exc:
        return Answered(exc.code, exc.read().decode(), exc.headers)
