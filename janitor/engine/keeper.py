"""The keeper: one thread that does, second by second, what must be done while runs go on.

It renews the leases, saves what runs report, passes on wishes to stop, warns of runs that are late, and puts back what
a task has changed for all. A daemon's
keeper also comes to lead, and has the duties of a leader, such as pruning.
"""

import functools
import logging
import threading
from collections.abc import Callable, Sequence

from janitor.engine.lateness import warn_late
from janitor.engine.runner import Runner
from janitor.engine.takeover import Takeover
from janitor.engine.wishes import pass_on_wishes
from janitor.errors import Fenced, JanitorError, Rejected, Unavailable

log = logging.getLogger(__name__)

Duty = Callable[[], None]
STEP_SECONDS = 1.0
"""How often the duties are done, and how often a stand-by looks whether it is needed."""


class Keeper:
    """Does its duties in order, again and again; an absent state database is waited for."""

    def __init__(
        self,
        runner: Runner,
        takeover: Takeover | None = None,
        duties: Sequence[Duty] = (),
        on_failure: Callable[[], None] = lambda: None,
    ) -> None:
        """Nothing happens before `start`. A daemon gives its `takeover`, and `duties` that only a leader has.

        `on_failure` is called once if the keeper cannot go on; `failure` tells why.
        """
        self._runner, self._takeover, self._on_failure = runner, takeover, on_failure
        self._seconds = runner.settings.lease_seconds
        self._duties: tuple[Duty, ...] = (
            self._renew,
            runner.flush,
            functools.partial(pass_on_wishes, runner.state, runner.live),
            functools.partial(warn_late, runner.live),
            runner.look_around,
            *duties,
        )
        self._stop, self._thread = threading.Event(), threading.Thread(target=self._loop, name="keeper", daemon=True)
        self._away = False
        self.failure: JanitorError | None = None

    def start(self) -> None:
        """Begin, in a thread of its own."""
        self._runner.renewal.begin()
        self._thread.start()

    def stop(self) -> None:
        """End the thread, save what waits, and give up the daemon's lease; runs that go on keep theirs."""
        self._stop.set()
        self._thread.join(self._seconds)
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
            duty()

    def _renew(self) -> None:
        self._runner.renewal.renew_if_due(self._runner.lead.fence)

    def _loop(self) -> None:
        try:
            while not self._stop.is_set():
                self._try_step()
                self._stop.wait(min(STEP_SECONDS, self._seconds / 3))
        finally:
            if not self._stop.is_set():
                # Without its keeper a daemon would only seem to go on.
                self._fail(JanitorError("the keeper of the leases died; the log tells of what"))

    def _try_step(self) -> None:
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
