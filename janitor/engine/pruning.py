"""Pruning: old runs, log lines and actions are deleted, a little at a time, so that nobody waits long."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from janitor.engine import cleanup
from janitor.engine.leadership import Leadership
from janitor.errors import JanitorError
from janitor.jobs.job import Job
from janitor.loops import Loop, Loops
from janitor.runs import Fence, Outcome
from janitor.settings.settings import Settings
from janitor.state import State, recent, retention
from janitor.state.clocks import boot_clock
from janitor.state.retention import Bounds

log = logging.getLogger(__name__)

FIRST_SECONDS = 60.0
"""How long after the daemon came to lead: what was missed runs first."""
EVERY_SECONDS = 600.0
NEXT_SECONDS = 0.2
"""How soon the next little is deleted if more may be old."""


class Pruning:
    """A duty of the daemon that leads."""

    def __init__(
        self,
        state: State,
        settings: Settings,
        jobs: Mapping[str, Job],
        leadership: Leadership,
        loops: Loops | None = None,
        first_seconds: float = FIRST_SECONDS,
        clock: Callable[[], float] = boot_clock,
    ) -> None:
        """Each time that this daemon comes to lead, nothing is deleted in the `first_seconds` after the first step."""
        self._state, self._settings, self._jobs, self._leadership = state, settings, jobs, leadership
        self._first_seconds, self._clock = first_seconds, clock
        self._at: float | None = None
        self._led_under: Fence | None = None
        self._loops = loops or Loops()
        self._cleaning: Loop | None = None
        self._bounds: Bounds | None = None

    def step(self) -> None:
        """Delete a little, if it is time to.

        Raises:
            Fenced: this daemon does not lead any more; nothing is deleted.
            Unavailable, Rejected: the state database is away.
        """
        fence = self._leadership.lead.fence
        if self._at is None or fence != self._led_under:
            self._at, self._led_under = self._clock() + self._first_seconds, fence
        if self._clock() >= self._at:
            gone = self.prune(self._state.clock.now())
            self._at = self._clock() + (NEXT_SECONDS if gone else EVERY_SECONDS)

    def prune(self, now: datetime) -> int:
        """Delete a little of what is old; how many rows went.

        Runs of jobs with a `cleanup` are deleted in a thread of their own: a cleanup may take its time, and the leases
        must be renewed meanwhile.
        """
        jobs = dict(self._jobs)
        needed = list({name for job in jobs.values() for name in job.dependencies})
        cleaned = [job.id for job in jobs.values() if job.cleanup is not None]
        with self._state.begin(*self._leadership.lead.fences) as connection:
            bounds = Bounds(
                now - timedelta(days=self._settings.history_days),
                self._settings.history_runs,
                # Jobs that depend on a job build on its newest success, however old it is.
                list(recent.last_with(connection, needed, Outcome.SUCCEEDED).values()),
                without=cleaned,
            )
            gone = retention.prune(connection, bounds)
            for levels, days in log_days(self._settings).items():
                gone += retention.prune_logs(connection, levels, now - timedelta(days=days))
            gone += retention.prune_actions(connection, now - timedelta(days=self._settings.actions_days))
        if cleaned:
            self._wake_cleaning(replace(bounds, jobs=cleaned, without=()))
        return gone

    def _wake_cleaning(self, bounds: Bounds) -> None:
        self._bounds = bounds
        if self._cleaning is None:
            cleaning = self._loops.loop("cleaning up", self._clean)
            # There may be no thread to be had: then the next look tries again.
            cleaning.start()
            self._cleaning = cleaning
        self._cleaning.wake()

    def _clean(self) -> None:
        """Delete runs of jobs with a `cleanup`, until none is old."""
        bounds, self._bounds = self._bounds, None
        try:
            while bounds is not None and cleanup.prune(self._state, dict(self._jobs), self._settings, bounds):
                pass
        except JanitorError as exc:
            log.warning("old runs could not be cleaned up, the next look tries again: %s", exc)


def log_days(settings: Settings) -> dict[tuple[str, ...], int]:
    """For how many days lines of these levels are kept; lines of other levels stay as long as their runs."""
    return {
        ("DEBUG",): settings.log_debug_days,
        ("INFO",): settings.log_info_days,
        ("WARNING",): settings.log_warning_days,
        ("ERROR", "CRITICAL"): settings.log_error_days,
    }
