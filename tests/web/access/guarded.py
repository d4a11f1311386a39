"""A house with users, or one in which everybody is an operator; and who calls there."""

import hashlib
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from janitor.scheduler import Scheduler
from janitor.settings.passwords import Scrypt
from janitor.state import actions, job_records
from janitor.web.desk import Desk
from tests.small_engine import empty_state
from tests.web.caller import Caller
from tests.web.desks import served

PAGE = "text/html,application/xhtml+xml"

OPERATOR_TOKEN, VIEWER_TOKEN = "operator-token-0123456789", "viewer-token-0123456789"


def hashed(password: str) -> str:
    """A password's hash that is quick to compare, as earlier releases made it."""
    salt = b"0123456789abcdef"
    return str(Scrypt(16, 8, 1, salt, hashlib.scrypt(password.encode(), salt=salt, n=16, r=8, p=1, dklen=32)))


USERS = " ".join(
    f"{name}:{role}:{hashed(f'{name}s password')}"
    for name, role in (("anna", "operator"), ("ben", "viewer"), ("carl", "operator"))
)

SETTINGS = {"WEB_USERS": USERS, "WEB_OPERATOR_TOKEN": OPERATOR_TOKEN, "WEB_VIEWER_TOKEN": VIEWER_TOKEN}


def tick() -> None:
    """Do nothing."""


def add_jobs(scheduler: Scheduler) -> None:
    """One job."""
    scheduler.add_job(tick, "interval", hours=1)


@dataclass
class House:
    """A desk that is served, with users or without."""

    desk: Desk
    address: str

    def caller(self, user: str = "", **headers: str) -> Caller:
        """Somebody new; signed in, if a user is given."""
        made = Caller(self.address, {name.replace("_", "-"): value for name, value in headers.items()})
        if user:
            assert made.sign_in(user, f"{user}s password").status == 303
        return made

    @property
    def is_paused(self) -> bool:
        """Whether the job is."""
        with self.desk.state.read() as connection:
            record = job_records.all_jobs(connection).get("tick")
        return record is not None and record.paused_at is not None

    def audit(self) -> list[tuple[str, str, str]]:
        """What people did, or were refused, the newest first."""
        with self.desk.state.read() as connection:
            return [(row.actor, row.action, row.detail) for row in actions.listing(connection)]


def opened(folder: Path, **settings: str) -> Iterator[House]:
    """A house with these settings, on a state database of its own."""
    with served(empty_state(sqlite(), folder), folder, add_jobs, **settings) as (desk, address):
        yield House(desk, address)


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def sqlite() -> Any:
    """A request for an embedded state database."""
    return type("Request", (), {"param": "sqlite"})
