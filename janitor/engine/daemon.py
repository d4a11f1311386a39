"""The daemon: a clock at work, with everything that it needs; it runs until it is asked to stop.

signals ──> Daemon.run: the loop of the clock, in the main thread
               due slots ──────────> Lanes       to the threads of runs        lanes.py, runner.py
               runs that ended ────> Dependents  begins what depends on them   dependents.py
            each second ───────────> Keeper      leases, reports, duties       keeper.py
            comes to lead ─────────> CatchingUp  slots since the last one      catching_up.py

The loop of the clock never waits for the state database: it must hear signals, and tell that it lives.
"""

import logging
import os
import signal
from collections.abc import Callable
from types import FrameType

from janitor.engine import heartbeat
from janitor.engine.allocator import GivingBack
from janitor.engine.catching_up import CatchingUp
from janitor.engine.clock import Clock, Phase
from janitor.engine.dead_runs import DeadRuns
from janitor.engine.dependents import Dependents
from janitor.engine.heartbeat import Heartbeat
from janitor.engine.identity_watch import IdentityWatch
from janitor.engine.item_care import ItemCare
from janitor.engine.keeper import Keeper
from janitor.engine.lanes import Lanes
from janitor.engine.leaps import LEAP, Leaps
from janitor.engine.memos import memos_of
from janitor.engine.obstacles import KEEPER, RUNNING
from janitor.engine.on_demand import OnDemand
from janitor.engine.pruning import Pruning
from janitor.engine.runner import Runner
from janitor.engine.standstill import Standstill
from janitor.engine.stopping import stop_in_order
from janitor.engine.stretches import AWAY, COUNTED
from janitor.engine.takeover import Takeover
from janitor.errors import JanitorError
from janitor.jobs.job import Job, Jobs
from janitor.runs.forks import Handler, signals_taken

log = logging.getLogger(__name__)

STOPS = (signal.SIGTERM, signal.SIGINT)
KEEPER_SECONDS = 60.0
"""How long a step of the keeper may take without being told."""
ALARMS = (signal.SIGALRM, signal.SIGVTALRM, signal.SIGPROF, signal.SIGXCPU)
"""What a task may let come with `alarm`, `setitimer` or `setrlimit`, from any thread; each would end the process."""
TIMERS = {
    signal.SIGALRM: signal.ITIMER_REAL,
    signal.SIGVTALRM: signal.ITIMER_VIRTUAL,
    signal.SIGPROF: signal.ITIMER_PROF,
}


class Daemon:
    """One process that hosts jobs; while another daemon holds the state database this one stands by."""

    def __init__(self, clock: Clock, jobs: Jobs, runner: Runner, begin_as_told: set[str]) -> None:
        """Nothing is opened or started before `run`; `begin_as_told` are the jobs whose `next_run_time` was given."""
        self.clock, self.jobs, self.runner = clock, jobs, runner
        self.heartbeat = Heartbeat(runner.settings.heartbeat_file)
        self._now = runner.state.clock.now
        self._leaps = Leaps(self._now, runner.state.clock.boot)
        self.lanes = Lanes(jobs, runner, self._run_ended, self._why_late)
        self._dependents = Dependents(jobs, runner, self.lanes.enter)
        self._on_demand, self._item_care = OnDemand(jobs, runner, self.lanes.enter), ItemCare(jobs, runner)
        self._catching_up = CatchingUp(clock, jobs, runner, self.lanes, begin_as_told)
        self._standstill = Standstill(
            *(self.heartbeat, runner.journal, runner.renewal),
            counting=lambda: clock.phase is Phase.COUNTING and not self._is_behind,
        )
        self._is_behind = False
        self._identity = IdentityWatch(
            *(runner.state, runner.leadership, runner.holder, memos_of(runner.settings)),
            *(runner.settings.lease_seconds, runner.state.clock.boot),
        )
        takeover = Takeover(runner.state, runner.leadership, self._lead, self._stand_by, self._may_lead)
        self._give_up = takeover.give_up
        first = {
            "watching the state database": self._identity.step,
            "looking for a standstill": self._look_for_standstill,
        }
        dead = DeadRuns(runner.state, lambda: runner.lead.fence, runner.observers, runner.settings.lease_seconds)
        duties = {
            "counting slots anew": self._count_anew,
            "closing runs of dead processes": dead.look,
            "giving memory back": GivingBack().step,
        }
        self.keeper = Keeper(
            runner, takeover, duties, first, on_failure=clock.ask_to_stop, last=self._identity.beat_last
        )
        self._pruning = Pruning(
            runner.state, runner.settings, jobs, runner.leadership, runner.loops, clock=runner.state.clock.boot
        )
        self._on_stop: Callable[[], None] = lambda: None
        self._ticking = runner.loops.duty("the clock", self.tick)

    def run(self, on_stop: Callable[[], None] = lambda: None) -> None:
        """Run the clock in this thread until SIGTERM or SIGINT, then stop the runs in order and return.

        A second signal ends the process at once. SIGHUP does nothing, unless a jobs file has taken it. `on_stop` is
        called when the daemon begins to stop: by the signal's handler, and again once this thread has noticed.

        Raises:
            BadSetting: the heartbeat file cannot be written.
            Rejected: the state database says no at the start.
        """
        heartbeat.require(self.runner.settings.heartbeat_file)
        self._on_stop = on_stop
        handlers = self._handlers()
        with signals_taken(handlers):
            try:
                self.clock.open(self.lanes)
                self.keeper.start()
                self._dependents.start()
                self._on_demand.start()
                self._item_care.start()
                self._pruning.start()
                self._loop()
            finally:
                on_stop()
                self._dependents.stop()
                self._on_demand.stop()
                self._item_care.stop()
                self._pruning.stop()
                stop_in_order(self.clock, self.lanes, self.runner, self.keeper)
                self._identity.leave(self._now())
                for timer in (timer for number, timer in TIMERS.items() if number in handlers):
                    signal.setitimer(timer, 0)
        if self.keeper.failure is not None:
            raise self.keeper.failure

    @property
    def leading(self) -> bool:
        """Whether this is the one daemon of its state database whose clock goes."""
        return self.clock.leading

    @property
    def runs_waiting(self) -> int:
        """How many runs are due and wait for a thread."""
        return self.lanes.waiting

    def ask_to_stop(self) -> None:
        """Let `run` return, after the runs have stopped in order; from any thread, or a signal's handler."""
        self.clock.ask_to_stop()

    def run_now(self, job: Job, dry_run: bool = False) -> int:
        """Begin a run that a person asks for; its id. From any thread, while the clock runs.

        Raises:
            Skip: the job runs already.
            JanitorError: the run could not begin; the error says why.
        """
        return self.lanes.run_now(job, dry_run)

    def _run_ended(self) -> None:
        self._dependents.wake()
        self._on_demand.wake()

    def _loop(self) -> None:
        seconds: float | None = 0.0
        self._leaps.tick()
        while self.clock.wait(heartbeat.TICK_SECONDS if seconds is None else min(heartbeat.TICK_SECONDS, seconds)):
            seconds = self._ticking.pause(self._ticking.do())

    def tick(self) -> float | None:
        """Run what is due; in how many seconds the next slot is due. A clock that cannot do that has no heartbeat."""
        now, gone = self._leaps.tick()
        # APScheduler would wait until it is as late again, or list each slot that was leapt over.
        if abs(gone) > LEAP and self.clock.hold(self._leaps.why):
            log.warning("the time of day leapt by %+.0f s: the slots are counted anew", gone.total_seconds())
        if self.clock.phase is Phase.COUNTING:
            self.keeper.wake()
        following = self.clock.tick(now)
        self.lanes.hand_out()
        self.runner.loops.end_old_troubles()
        self._look_at_keeper()
        self.heartbeat.beat(troubles=self.runner.loops.troubles)
        return None if following is None else max(0.0, (following - self._now()).total_seconds())

    def _look_at_keeper(self) -> None:
        """Tell if the keeper hangs: nobody else would."""
        # An upgrade takes its time, and renews this daemon's lease meanwhile.
        silent = None if self.runner.leadership.is_migrating else self.keeper.silent_seconds()
        if silent is None or silent <= KEEPER_SECONDS:
            self.runner.obstacles.overcome(KEEPER)
        elif self.runner.obstacles.meet(KEEPER, f"it has been at one step for {silent:.0f} s") is not None:
            text = (
                "the keeper has been at one step for %.0f s: no lease of a run is renewed, and nobody looks who leads"
            )
            log.error(text, silent)

    def _why_late(self) -> str:
        """Why slots came due together, at the tick that goes on."""
        return (self.clock.held_because or COUNTED) if self.clock.begins else self._leaps.why

    def _count_anew(self) -> None:
        """Let a clock that is held go again, once all is on record that has an outcome, and its slots are counted."""
        if self.clock.phase is not Phase.COUNTING:
            return
        try:
            self._is_behind = not self.runner.save()
            if not self._is_behind:
                self._lead(self.clock.held_because)
        except JanitorError as exc:
            self.clock.held_because = AWAY
            log.warning("the slots cannot be counted yet, and no run begins: %s", exc)

    def _look_for_standstill(self) -> None:
        """Give the lead up if nothing comes of the slots that are due: another daemon may do better."""
        # A clock that stops ticks no more, and runs have the whole grace.
        if not self.clock.stopping and (why := self._standstill.why()) is not None:
            log.error("slots are due, and nothing comes of them: %s; this daemon gives the lead up", why)
            self._give_up()

    def _may_lead(self) -> bool:
        return self._could_run() and self._identity.look_before_leading()

    def _could_run(self) -> bool:
        if (why := self._standstill.why()) is None:
            if self.runner.obstacles.overcome(RUNNING):
                log.info("this daemon can run slots again")
            return True
        if self.runner.obstacles.meet(RUNNING, why) is not None:
            log.error("this daemon does not lead, as it could run nothing: %s", why)
        return False

    def _lead(self, why: str = "") -> None:
        # The first time that the state database told is no leap.
        self._leaps.tick()
        with self.clock.changing:
            self._item_care.keep_plans()
            self._catching_up.account(self._now(), why)
        self._dependents.wake()
        self._on_demand.wake()

    def _stand_by(self) -> None:
        self.clock.stand_by()
        self.lanes.stand_by()

    def _handlers(self) -> dict[int, Handler]:
        # Each of these ends a process that does not handle it. SIGHUP may come to a daemon without a jobs file, too.
        harmless: dict[int, Handler] = {signal.SIGHUP: lambda number, frame: None, **dict.fromkeys(ALARMS, _on_alarm)}
        taken = {number: act for number, act in harmless.items() if signal.getsignal(number) is signal.SIG_DFL}
        return {**dict.fromkeys(STOPS, self._on_signal), **taken}

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        if self.clock.stopping:
            os._exit(128 + number)
        # First: a task may hold a lock that this thread waits for.
        self._on_stop()
        self.ask_to_stop()


def _on_alarm(number: int, frame: FrameType | None) -> None:
    name = signal.Signals(number).name
    log.warning("a task let the signal %s come, which is nothing to other runs: give the job isolation='process'", name)
