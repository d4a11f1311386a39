"""A simulated year: a true time that the test sets, hosts whose clocks differ, and daemons that are stepped by hand.

    World    the state database's clock, the boot clock, and which jobs are wanted at this moment
    Host     a machine with a clock of its own; on it a daemon: `keep` renews or takes leases, `tick` runs what is due
    year_book.py  what must be on record at the end, known from what the test did, not from the state database

Nothing is waited for: the time leaps from one tick to the next, and the runs of a tick end before the next.
"""

import threading
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import URL, Connection

from janitor.engine.clock import Phase
from janitor.engine.leaps import LEAP
from janitor.engine.runner import Runner
from janitor.engine.stopping import stop_in_order
from janitor.jobs import Job
from janitor.logs.mask import Mask
from janitor.logs.run_log import RunLog
from janitor.runs import current_run
from janitor.scheduler import Scheduler
from janitor.settings import Settings
from janitor.state import State, holders
from janitor.state.shared_clock import SharedClock

KEEP_SECONDS = 6000.0
"""How often a host renews its leases, or looks whether it is needed. A lease lasts three times as long."""
LEASE_SECONDS = 3.0 * KEEP_SECONDS
TICK_SECONDS = 59.0
PATIENCE_SECONDS = 60.0


@dataclass
class World:
    """What is true: the time of the state database, seconds since the start, and the jobs by schedule."""

    url: URL
    settings: Callable[[str], Settings]
    now: datetime
    mask: Mask
    run_log: RunLog
    zone: str = "Europe/London"
    boot: float = 0.0
    wanted: dict[str, str] = field(default_factory=dict)
    gate: threading.Event | None = None
    effects: Counter[int] = field(default_factory=Counter)
    acting: threading.Lock = field(default_factory=threading.Lock)

    def pass_by(self, seconds: float) -> None:
        """Let the time go on."""
        self.now, self.boot = self.now + timedelta(seconds=seconds), self.boot + seconds

    def task(self) -> None:
        """Act for a slot; while the gate is shut, go on until it opens, as a task that is in its middle."""
        gate = self.gate
        if gate is not None:
            gate.wait(PATIENCE_SECONDS)
        with self.acting:
            self.effects[current_run().id] += 1


class CountsByHost(SharedClock):
    """The clock of a release before 0.2: leases go by the state database's clock, and slots by the host's."""

    def now(self) -> datetime:
        """The host's time."""
        return self._host()


class Host:
    """A machine with a daemon on it, which is stepped by hand."""

    def __init__(self, world: World, name: str, ahead: timedelta = timedelta(), *, is_old: bool = False) -> None:
        """The daemon is open, and stands by. Its clock is `ahead` of the true time, which may change."""
        self.world, self.name, self.ahead = world, name, ahead
        kind = CountsByHost if is_old else SharedClock
        clock = kind(self._true, lambda: world.now + self.ahead, lambda: world.boot)
        settings = world.settings(world.zone)
        self.runner = Runner(State(world.url, clock=clock), settings, holders.new_holder(), world.mask, world.run_log)
        self.scheduler = Scheduler(settings)
        self.scheduler.replace_jobs(jobs_of(self.scheduler, world))
        self.daemon = self.scheduler.daemon(self.runner)
        self.scheduler.open(self.daemon.lanes)
        self.runner.renewal.begin()
        self.keep_at, self.ticked_at = world.boot, self.now

    @property
    def now(self) -> datetime:
        """The time that this daemon counts by."""
        return self.runner.state.clock.now()

    @property
    def goes(self) -> bool:
        """Whether its clock goes, or waits until slots are counted."""
        return self.scheduler.phase is not Phase.STANDING_BY

    @property
    def counted(self) -> bool:
        """Whether its clock goes, and all slots before this moment are accounted for."""
        return self.scheduler.phase is Phase.GOING

    def keep(self) -> bool:
        """Renew the leases, or take the lead, if it is time; whether it has come to lead now."""
        if self.world.boot < self.keep_at:
            return False
        went = self.goes
        self.daemon.keeper.try_step()
        self.ticked_at = self.ticked_at if went else self.now
        self.keep_at = self.world.boot + KEEP_SECONDS
        return self.goes and not went

    @property
    def counts_anew(self) -> bool:
        """Whether the next tick counts slots anew: the jobs were replaced, or the time leapt."""
        return self.scheduler.phase is Phase.COUNTING or abs(self.now - self.ticked_at) > LEAP

    def tick(self, *, wait: bool = True) -> float:
        """Run what is due, and let it end; in how many seconds it must tick again."""
        self.ticked_at = self.now
        seconds = self.daemon.tick()
        if wait:
            assert self.daemon.lanes.wait(PATIENCE_SECONDS), f"{self.name}: runs do not end"
        return TICK_SECONDS if seconds is None else min(seconds, TICK_SECONDS)

    def reload(self) -> None:
        """Take the jobs that are wanted now, as after SIGHUP."""
        self.scheduler.replace_jobs(jobs_of(self.scheduler, self.world))

    def stop(self) -> None:
        """End in order, as after SIGTERM."""
        stop_in_order(self.scheduler, self.daemon.lanes, self.runner, self.daemon.keeper)

    def bury(self) -> None:
        """End what is left of a daemon that was killed long ago: whatever it still writes must be refused."""
        self.daemon.lanes.close()
        assert self.daemon.lanes.wait(PATIENCE_SECONDS)
        self.scheduler.close()
        self.runner.state.close()

    def _true(self, connection: Connection) -> datetime:
        return self.world.now


def jobs_of(scheduler: Scheduler, world: World) -> Mapping[str, Job]:
    """Make the jobs that are wanted, as a jobs file would."""
    made: dict[str, Job] = {}
    for name, schedule in world.wanted.items():
        options: dict[str, Any] = {"catch_up": "none"} if name.endswith("strict") else {}
        made[name] = scheduler.make_job({"id": name, "func": world.task, "schedule": schedule, **options})
    return made
