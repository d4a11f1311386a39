"""A keeper at work in a test, the leases that it keeps, and the runs that go on meanwhile."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import select, update

from janitor.engine.keeper import Keeper
from janitor.engine.runner import Runner
from janitor.engine.stages import Slot
from janitor.engine.takeover import Takeover
from janitor.runs import current_run
from janitor.state.run_records import BY_HAND
from janitor.state.tables import leases as lease_rows
from tests.small_engine import eventually, job_of

ELSEWHERE = "elsewhere|another-boot|pid:[1]|1|1|x"
"""A holder on another machine: nobody here can know whether it lives."""


@dataclass
class Kept:
    """A daemon's keeper and takeover, and what its clock was told."""

    keeper: Keeper
    takeover: Takeover
    stood_by: threading.Event
    failed: threading.Event

    @property
    def leading(self) -> bool:
        """Whether the clock would go."""
        return self.takeover.at_work


def daemon_of(runner: Runner, on_leading: Callable[[], None] = lambda: None) -> Kept:
    """A daemon's keeper that is not started."""
    stood_by, failed = threading.Event(), threading.Event()
    takeover = Takeover(runner.state, runner.leadership, on_leading, stood_by.set)
    return Kept(Keeper(runner, takeover, on_failure=failed.set), takeover, stood_by, failed)


@contextmanager
def daemon(runner: Runner) -> Iterator[Kept]:
    """A daemon's keeper at work."""
    made = daemon_of(runner)
    made.keeper.start()
    try:
        yield made
    finally:
        made.keeper.stop()


@contextmanager
def kept(runner: Runner) -> Iterator[Keeper]:
    """The keeper of a process that is no daemon, at work."""
    keeper = Keeper(runner)
    keeper.start()
    try:
        yield keeper
    finally:
        keeper.stop()


@contextmanager
def going_on(runner: Runner, task: Any, id: str = "task") -> Iterator[threading.Thread]:
    """A run by hand in a thread of its own; it has begun before the block, and has ended after it."""
    thread = threading.Thread(target=runner.execute, args=(job_of(task, id=id), Slot(None, BY_HAND)), daemon=True)
    thread.start()
    # A task that waits for others may have ended before anybody looks.
    eventually(lambda: runner.live or not thread.is_alive())
    yield thread
    thread.join(30)
    assert not thread.is_alive()


def until_stopped() -> None:
    """A task that goes on until it is asked to stop."""
    current_run().sleep(60)


def lease(runner: Runner, name: str) -> Any:
    """A lease as the state database has it."""
    with runner.state.begin() as connection:
        return connection.execute(select(lease_rows).where(lease_rows.c.name == name)).one_or_none()


def give_away(runner: Runner, name: str) -> None:
    """Let another process have a lease, as after it had expired."""
    with runner.state.begin() as connection:
        taken = {
            "token": lease_rows.c.token + 1,
            "holder": ELSEWHERE,
            "expires_at": runner.state.now(connection) + timedelta(seconds=60),
        }
        connection.execute(update(lease_rows).where(lease_rows.c.name == name).values(taken))
