"""The desk: what every request is answered from, the daemon's clock and the runner with its state database."""

from collections.abc import Mapping
from dataclasses import dataclass

from fastapi import Request

from janitor.execution import Runner
from janitor.jobs import Job
from janitor.scheduler import Scheduler
from janitor.settings import Settings
from janitor.state import State


@dataclass(frozen=True)
class Desk:
    """The parts of the daemon that requests read, and act on through `janitor.operations`."""

    scheduler: Scheduler
    runner: Runner

    @property
    def state(self) -> State:
        """The state database: `read()` for what is shown."""
        return self.runner.state

    @property
    def settings(self) -> Settings:
        """The settings of this process."""
        return self.runner.settings

    @property
    def jobs(self) -> Mapping[str, Job]:
        """Every job by its id, in the order of `run.py`."""
        return self.scheduler.jobs


async def desk(request: Request) -> Desk:
    """The desk, as a dependency of request handlers: `Depends(desk)`."""
    found: Desk = request.app.state.desk
    return found
