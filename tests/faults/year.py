"""A simulated year: a true time that the test sets, hosts whose clocks differ, and daemons that are stepped by hand.

    World            the state database's clock, the boot clock, and which jobs are wanted at this moment
    Host             a machine with a clock of its own; on it a daemon: its clock ticks, and its keeper does its duties
    year_events.py   what happens to hosts, daemons, clocks and jobs
    year_book.py     what must be on record at the end, known from what the test did, not from the state database

Nothing is waited for: the time leaps from one tick to the next, and the runs of a tick end before the next.
"""

import threading
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import URL, Connection, event

from janitor.engine.clock import Phase
from janitor.engine.pruning import LOOK_SECONDS, Pruning
from janitor.engine.runner import Runner
from janitor.engine.stages import Slot
from janitor.engine.stopping import stop_in_order
from janitor.jobs import Job
from janitor.logs.mask import Mask
from janitor.logs.run_log import RunLog
from janitor.runs import Outcome, Run, current_run
from janitor.scheduler import Scheduler
from janitor.settings import Settings
from janitor.state import State, holders
from janitor.state.run_records import Ending
from janitor.state.shared_clock import SharedClock
from janitor.state.slot_records import LostSlots
from tests.faults.year_book import YearBook
from tests.small_engine import eventually

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
    made: dict[tuple[str, str, str], Job] = field(default_factory=dict)
    """The jobs that were ever wanted, by name, schedule and zone."""
    book: YearBook = field(default_factory=YearBook)
    gate: threading.Event | None = None
    effects: Counter[int] = field(default_factory=Counter)
    acting: threading.Lock = field(default_factory=threading.Lock)

    def state(self, clock: SharedClock | None = None) -> State:
        """Give the state database, with a clock of a host; with the true clock when None."""
        state = State(self.url, clock=clock or SharedClock(self.true, lambda: self.now, lambda: self.boot))
        # Nobody pulls a plug here. To wait for a disk at each commit would take most of the time.
        event.listen(state.engine, "connect", lambda raw, record: raw.execute("PRAGMA synchronous = OFF"))
        return state

    def true(self, connection: Connection) -> datetime:
        """Give the true time, as if the state database was asked."""
        return self.now

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
        clock = kind(world.true, lambda: world.now + self.ahead, lambda: world.boot)
        settings = world.settings(world.zone)
        self.runner = Runner(world.state(clock), settings, holders.new_holder(), world.mask, world.run_log)
        self.scheduler = Scheduler(settings)
        self.scheduler.replace_jobs(jobs_of(self.scheduler, world))
        self.daemon = self.scheduler.daemon(self.runner)
        self.scheduler.open(self.daemon.lanes)
        self.runner.renewal.begin()
        self.keep_at = world.boot

    @property
    def now(self) -> datetime:
        """The time that this daemon counts by."""
        return self.runner.state.clock.now()

    @property
    def goes(self) -> bool:
        """Whether its clock goes, or waits until slots are counted."""
        return self.scheduler.phase is not Phase.STANDING_BY

    @property
    def is_dead(self) -> bool:
        """Whether it writes nothing any more."""
        return bool(self.runner.state.stopped)

    def step(self, *, wait: bool = True) -> float:
        """Do all that is due, and let it end if the test is to `wait`; in how many seconds more may be due."""
        seconds = self._tick(wait=wait) if self.goes else KEEP_SECONDS
        if self.world.boot >= self.keep_at:
            if not self.goes:
                # The clock of a daemon that stands by ticks too. Here that is seldom enough.
                self.daemon.tick()
            self._keep(wait=wait)
            seconds = self._tick(wait=wait) if self.goes else KEEP_SECONDS
        return min(seconds, self.keep_at - self.world.boot)

    def reload(self) -> None:
        """Take the jobs that are wanted now, as after SIGHUP."""
        self.scheduler.replace_jobs(jobs_of(self.scheduler, self.world))

    def prune(self) -> None:
        """Delete all that is old, if this daemon leads."""
        state, boot = self.runner.state, self.runner.state.clock.boot
        jobs, leadership, loops = self.daemon.jobs, self.runner.leadership, self.runner.loops
        pruning = Pruning(state, self.runner.settings, jobs, leadership, loops, first_seconds=0.0, clock=boot)
        while pruning.step() < LOOK_SECONDS:
            pass

    def stop(self) -> None:
        """End in order, as after SIGTERM."""
        stop_in_order(self.scheduler, self.daemon.lanes, self.runner, self.daemon.keeper)

    def die(self) -> None:
        """Write nothing any more, as a process that is killed."""
        self.runner.state.stop("the process was killed")

    def die_at_first_loss(self) -> None:
        """Die once it has come to lead, before it can record the first slot that was lost."""
        self.runner.observers.append(DiesAtFirstLoss(self))

    def bury(self) -> None:
        """End what is left of a daemon that was killed long ago: whatever it still writes must be refused."""
        self.daemon.lanes.close()
        assert self.daemon.lanes.wait(PATIENCE_SECONDS)
        self.scheduler.close()
        self.runner.state.close()

    def is_busy(self) -> bool:
        """Whether a run goes on, after a tick that was not waited for; all runs of that tick are on record."""
        eventually(lambda: not self.runner.waiting, "its runs are on record", PATIENCE_SECONDS)
        eventually(lambda: self.runner.live or self.daemon.lanes.wait(0), "its runs begin, or do not", PATIENCE_SECONDS)
        return bool(self.runner.live)

    def _tick(self, *, wait: bool) -> float:
        """Let its clock tick; in how many seconds it must tick again."""
        at, counted = self.now, False
        seconds = self.daemon.tick()
        if self.scheduler.phase is Phase.COUNTING:
            # The clock has woken the keeper.
            counted = self._keep(wait=wait)
            seconds = self.daemon.tick()
        self._let_end(wait=wait)
        # A daemon that lost its lease while it slept may not know it yet.
        if not counted and not self.is_dead and self.scheduler.phase is Phase.GOING:
            self.world.book.alive(self.runner.lead.fence, at)
        return TICK_SECONDS if seconds is None else min(seconds, TICK_SECONDS)

    def _keep(self, *, wait: bool) -> bool:
        """Let its keeper do its duties once; whether all slots up to now were counted."""
        went = self.scheduler.phase is Phase.GOING
        self.daemon.keeper.try_step()
        self.keep_at = self.world.boot + KEEP_SECONDS
        self._let_end(wait=wait)
        counted = not went and self.scheduler.phase is Phase.GOING
        if counted:
            self.world.book.counted(self.runner.lead.fence, self.daemon.jobs, self.now, died=self.is_dead)
        return counted

    def _let_end(self, *, wait: bool) -> None:
        assert not wait or self.daemon.lanes.wait(PATIENCE_SECONDS), f"{self.name}: runs do not end"


class DiesAtFirstLoss:
    """An observer that ends its daemon."""

    def __init__(self, host: Host) -> None:
        """The daemon of `host` is to die."""
        self._host = host

    def began(self, job: Job, slot: Slot, run: Run) -> None:
        """A run begins: nothing happens."""

    def ended(self, job: Job, run: Run, ending: Ending) -> None:
        """A run ends: nothing happens."""

    def lost(self, lost: LostSlots) -> None:
        """Slots are about to be recorded as lost; runs that another daemon left open do not count."""
        if lost.outcome is Outcome.MISSED:
            self._host.die()


def jobs_of(scheduler: Scheduler, world: World) -> Mapping[str, Job]:
    """Make the jobs that are wanted, as a jobs file would; those that are as before are the same jobs."""
    found: dict[str, Job] = {}
    for name, schedule in world.wanted.items():
        key = name, schedule, world.zone
        if key not in world.made:
            options: dict[str, Any] = {"catch_up": "none"} if name.endswith("strict") else {}
            world.made[key] = scheduler.make_job({"id": name, "func": world.task, "schedule": schedule, **options})
        found[name] = world.made[key]
    return found
