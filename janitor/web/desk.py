"""The parts of the daemon that the web wing sees; apart, so that the start need not load what serves them."""

from collections.abc import Mapping
from dataclasses import dataclass

from janitor.engine.runner import Runner
from janitor.jobs.job import Job
from janitor.scheduler import Scheduler
from janitor.settings.settings import Settings
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
