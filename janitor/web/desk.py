"""The desk: the parts of the daemon that requests read, and act on through `janitor.operations`.

It stands apart from what serves requests: the daemon makes it at its start, and loads the server later.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from janitor.engine.daemon import Daemon
from janitor.engine.runner import Runner
from janitor.jobs.job import Job
from janitor.loops import Trouble
from janitor.settings.settings import Settings
from janitor.state import State


@dataclass(frozen=True)
class Desk:
    """The daemon's clock, and the runner with its state database."""

    daemon: Daemon

    @property
    def runner(self) -> Runner:
        """What executes jobs in this process, and the runs that go on."""
        return self.daemon.runner

    @property
    def state(self) -> State:
        """The state database."""
        return self.runner.state

    def now(self) -> datetime:
        """This moment by the state database's clock, by which all that it holds is dated."""
        return self.state.clock.now()

    @property
    def settings(self) -> Settings:
        """The settings of this process."""
        return self.runner.settings

    @property
    def troubles(self) -> Sequence[Trouble]:
        """The parts of the daemon that fail again and again, and what keeps it from its work."""
        return [*self.runner.loops.troubles, *self.runner.obstacles.troubles]

    @property
    def all_troubles(self) -> Sequence[Trouble]:
        """The troubles, and what else a person must know of this daemon, which works all the same."""
        return [*self.troubles, *self.runner.loops.noted]

    @property
    def jobs(self) -> Mapping[str, Job]:
        """Every job by its id, in the order of `run.py`."""
        return self.daemon.jobs
