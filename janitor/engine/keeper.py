"""The keeper: one thread that does, second by second, what must be done while runs go on.

It renews the leases, saves what runs report, passes on wishes to stop, warns of runs that are late, and puts back what
a task has changed for all. A daemon's keeper also comes to lead, and has the duties of a leader, such as pruning. A
duty that fails keeps no other duty from being done.
"""

import functools
import logging
from collections.abc import Callable, Mapping

from janitor.engine.lateness import warn_late
from janitor.engine.runner import Runner
from janitor.engine.takeover import Takeover
from janitor.engine.wishes import pass_on_wishes
from janitor.errors import Fenced, JanitorError, Rejected, Unavailable
from janitor.loops import named_errors

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
        on_failure: Callable[[], None] = lambda: None,
    ) -> None:
        """Nothing happens before `start`. A daemon gives its `takeover`, and `duties` that only a leader has.

        `on_failure` is called once if the keeper cannot go on; `failure` tells why.
        """
        self._runner, self._takeover, self._on_failure = runner, takeover, on_failure
        self._seconds = runner.settings.lease_seconds
        bodies: Duties = {
            "renewing the leases": self._renew,
            "saving what runs report": runner.flush,
            "passing on wishes to stop": functools.partial(pass_on_wishes, runner.state, runner.live),
            "warning of late runs": functools.partial(warn_late, runner.live),
            "putting back what runs share": runner.look_around,
            **(duties or {}),
        }
        self._duties = [runner.loops.duty(name, body, passes=named_errors) for name, body in bodies.items()]
        self._loop = runner.loops.loop("keeper", self._try_step)
        self._away = False
        self.failure: JanitorError | None = None

    def start(self) -> None:
        """Begin, in a thread of its own."""
        self._runner.renewal.begin()
        self._loop.start()

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
            leadership.free(fence)
        except JanitorError as exc:
            log.warning("the lease could not be given back: %s", exc)

    def step(self) -> None:
        """Do every duty once; a daemon that does not lead tries to.

        Raises:
            Fenced: another daemon leads now, or another process has a lease of ours.
            Unavailable, Rejected: the state database is away.
        """
        if self._takeover is not None and not self._takeover.at_work:
            self._takeover.step()
            return
        for duty in self._duties:
            duty.do()

    def _renew(self) -> None:
        self._runner.renewal.renew_if_due(self._runner.lead.fence)

    def _try_step(self) -> float:
        try:
            self.step()
            self._tell_back()
        except Unavailable as exc:
            self._tell_away(exc)
        except Fenced as exc:
            if self._takeover is not None:
                self._takeover.lose(exc)
        except Rejected as exc:
            if self._takeover is not None and not self._takeover.at_work:
                self._fail(exc)
            self._tell_away(exc)
        return min(STEP_SECONDS, self._seconds / 3)

    def _fail(self, why: JanitorError) -> None:
        self.failure = self.failure or why
        if self._takeover is not None:
            self._takeover.stand_by()
        self._on_failure()

    def _tell_away(self, exc: JanitorError) -> None:
        if not self._away:
            log.error("the state database is away, runs fail until it is back: %s", exc)
        self._away = True

    def _tell_back(self) -> None:
        if self._away:
            log.info("the state database is back")
        self._away = False
