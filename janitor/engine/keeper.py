"""The keeper: one thread that does, second by second, what must be done while runs go on.

It renews the leases, saves what runs report, passes on wishes to stop, warns of runs that are late, puts back what a
task has changed for all, and tells if the host's clock is off. A daemon's keeper also comes to lead, and has duties
that only a leader has. A duty that fails keeps no other duty from being done.
"""

import functools
import logging
import time
from collections.abc import Callable, Mapping

from janitor.databases.errors import has_locked_file
from janitor.engine.host_clock import HostClock
from janitor.engine.lateness import warn_late
from janitor.engine.obstacles import KEEPING, LEADING
from janitor.engine.runner import Runner
from janitor.engine.takeover import Takeover
from janitor.engine.wishes import pass_on_wishes
from janitor.errors import Fenced, JanitorError, Rejected, Unavailable
from janitor.loops import Duty, named_errors
from janitor.runs import Fence

log = logging.getLogger(__name__)

Duties = Mapping[str, Callable[[], None]]
"""What to do, by name."""
STEP_SECONDS = 1.0
"""How often the duties are done, and how often a stand-by looks whether it is needed."""


class Keeper:
    """Does its duties in order, again and again; an absent state database is waited for."""

    def __init__(
        self,
        runner: Runner,
        takeover: Takeover | None = None,
        duties: Duties | None = None,
        first: Duties | None = None,
        on_failure: Callable[[], None] = lambda: None,
        last: Callable[[Fence | None], None] = lambda fence: None,
    ) -> None:
        """Nothing happens before `start`.

        A daemon gives its `takeover`, and `duties` that only a leader has; `first` come before all others.
        `on_failure` is called once if the keeper cannot go on; `failure` tells why. `last` is called when the keeper
        stops, before the lease under which this process leads is given back.
        """
        self._runner, self._takeover, self._on_failure = runner, takeover, on_failure
        self._last = last
        self._seconds = runner.settings.lease_seconds
        of_runs: Duties = {
            "renewing the leases": self._renew,
            "saving what runs report": self._save,
            "passing on wishes to stop": functools.partial(pass_on_wishes, runner.state, runner.live),
            "warning of late runs": functools.partial(warn_late, runner.live),
            "putting back what runs share": runner.look_around,
        }
        host_clock = HostClock(runner.state.clock, runner.loops)
        self._comparing = runner.loops.duty("comparing clocks", host_clock.look)
        self._of_runs = self._made(of_runs)
        self._duties = [*self._made(first or {}), *self._of_runs, *self._made(duties or {})]
        self._loop = runner.loops.loop("keeper", self.try_step)
        self.failure: JanitorError | None = None
        self._came_round: float | None = None

    def start(self) -> None:
        """Begin, in a thread of its own."""
        self._runner.renewal.begin()
        self._loop.start()

    @property
    def begun(self) -> bool:
        """Whether the state database has ever let this daemon lead, or stand by."""
        return self._takeover is not None and self._takeover.begun

    def wake(self) -> None:
        """Do the duties now; from any thread."""
        self._loop.wake()

    def stop(self) -> None:
        """End the thread, save what waits, and give up the daemon's lease; runs that go on keep theirs."""
        self._loop.ask_to_stop()
        self._loop.wait(self._seconds)
        leadership, fence = self._runner.leadership, self._runner.lead.fence
        leadership.take(None)
        try:
            # First what waits: it can be written only while its lease stands.
            self._runner.flush()
            self._last(fence)
            leadership.free(fence)
        except JanitorError as exc:
            log.warning("the lease could not be given back: %s", exc)

    def step(self) -> None:
        """Do every duty once; a daemon that does not lead tries to.

        Raises:
            Fenced: another daemon leads now, or another process has a lease of ours.
            Unavailable, Rejected: the state database is away.
        """
        self._comparing.do()
        if self._takeover is not None and not self._takeover.at_work:
            self._stand_by(self._takeover)
            return
        _do(self._duties)

    def _stand_by(self, takeover: Takeover) -> None:
        """Look whether this daemon is to lead; runs of the time when it led go on, and are cared for as before."""
        if self._runner.live:
            _do(self._of_runs)
        takeover.step()
        self._save()

    def _made(self, duties: Duties) -> "list[Duty[None]]":
        return [self._runner.loops.duty(name, body, passes=named_errors) for name, body in duties.items()]

    def _save(self) -> None:
        self._runner.save()

    def _renew(self) -> None:
        self._runner.renewal.renew_if_due(self._runner.lead.fence)

    def try_step(self) -> float:
        """As `step`, and take what it raises; how many seconds there are until the next time."""
        self._try()
        self._came_round = time.monotonic()
        return min(STEP_SECONDS, self._seconds / 3)

    def silent_seconds(self) -> float | None:
        """How long ago its last step ended, by a clock that nobody sets; None before the first has ended."""
        return None if self._came_round is None else time.monotonic() - self._came_round

    def _try(self) -> None:
        try:
            self.step()
            self._tell_back()
        except Unavailable as exc:
            # Whichever duty it was: those behind it were not done, perhaps the renewal among them.
            self._runner.renewal.failed(exc)
            self._tell_away(exc)
        except Fenced as exc:
            if self._takeover is not None:
                self._takeover.lose(exc)
        except Rejected as exc:
            # A state database that says no at the start ends the start. Later a person mends it: a disk may be full.
            if self._takeover is not None and not self._takeover.begun:
                self._fail(exc)
            self._tell_away(exc)

    def _fail(self, why: JanitorError) -> None:
        self.failure = self.failure or why
        if self._takeover is not None:
            self._takeover.stand_by()
        self._on_failure()

    def _tell_away(self, exc: JanitorError) -> None:
        leads = self._takeover is None or self._takeover.at_work
        seconds = self._runner.obstacles.meet(KEEPING if leads else LEADING, exc)
        if seconds is None:
            return
        if leads and has_locked_file(exc):
            log.warning("the state database has been locked for %.0f s, runs wait until it is free: %s", seconds, exc)
        elif leads and seconds == 0:
            log.error("the state database is away, runs fail until it is back: %s", exc)
        elif leads:
            log.error("the state database has been away for %.0f s, runs fail until it is back: %s", seconds, exc)
        elif seconds == 0:
            log.error("this daemon cannot come to lead: %s", exc)
        else:
            log.error("this daemon has not been able to lead for %.0f s: %s", seconds, exc)

    def _tell_back(self) -> None:
        if self._runner.obstacles.overcome(KEEPING):
            log.info("the state database is back")
        if self._runner.obstacles.overcome(LEADING):
            log.info("nothing keeps this daemon from leading any more")


def _do(duties: "list[Duty[None]]") -> None:
    for duty in duties:
        duty.do()
