"""Jobs that run by themselves once their dependencies have newer successes than they have used."""

import logging
import threading
import time
from collections.abc import Callable, Collection, Mapping

from sqlalchemy import Connection

from janitor.engine.runner import Runner
from janitor.engine.stages import Slot
from janitor.errors import JanitorError
from janitor.jobs.dependencies import due, with_dependencies
from janitor.jobs.job import Job
from janitor.jobs.standings import Standing
from janitor.state import builds, recent
from janitor.state.run_records import AFTER

log = logging.getLogger(__name__)

LOOK_SECONDS = 5.0
"""How often the state database is looked at for successes of other processes."""
WINDOW = 200
"""How many ids below the newest are looked at again: of two runs that begin at once the later id may commit first."""
WHOLE_SECONDS = 600.0
"""How often all that is known of the jobs is read anew."""


class Known:
    """How jobs stand, read anew only of those that have had a run since the last time, and of all now and then."""

    def __init__(self) -> None:
        self._standings: dict[str, Standing] = {}
        self._seen, self._live, self._whole_at = 0, list[int](), 0.0
        self._outcomes: dict[int, str | None] = {}

    def read(self, connection: Connection, names: Collection[str]) -> Mapping[str, Standing]:
        """How these jobs stand now."""
        # What was deleted shows in no run that is new.
        whole = time.monotonic() - self._whole_at > WHOLE_SECONDS or not self._standings
        if whole:
            # Before all else: what begins, or ends, meanwhile comes up again at the next look.
            self._seen = recent.newest_id(connection)
            self._live = [row.id for row in recent.live(connection)]
        rows = recent.changed(connection, max(0, self._seen - WINDOW), self._live)
        touched = {row.job for row in rows if self._outcomes.get(row.id, "unknown") != row.outcome}
        wanted = [name for name in names if whole or name in touched or name not in self._standings]
        found = builds.standings(connection, wanted) if wanted else {}
        self._standings = ({} if whole else self._standings) | found
        self._outcomes = {row.id: row.outcome for row in rows}
        self._live = [row.id for row in rows if row.outcome is None]
        self._seen = max((row.id for row in rows), default=self._seen)
        self._whole_at = time.monotonic() if whole else self._whole_at
        return self._standings


class Dependents:
    """One thread that looks, whenever a run of this process has ended, which jobs are due after it, and begins them."""

    def __init__(self, jobs: Mapping[str, Job], runner: Runner, enter: Callable[[Job, Slot], None]) -> None:
        """`enter` begins a run in its job's lane, or does nothing where the lane is taken."""
        self._jobs, self._runner, self._enter = jobs, runner, enter
        self._news, self._stop = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._loop, name="dependents", daemon=True)
        self._told = False
        self._known = Known()

    def start(self) -> None:
        """Begin, in a thread of its own."""
        self._thread.start()

    def stop(self) -> None:
        """Begin no further run."""
        self._stop.set()
        self._news.set()

    def tell(self) -> None:
        """A run has ended: look now. From any thread; it waits for nothing."""
        self._news.set()

    def look(self) -> list[Job]:
        """The jobs that are due now.

        Raises:
            Unavailable, Rejected: the state database cannot be read.
        """
        waiting = [job for job in self._jobs.values() if job.after and job.enabled]
        if not waiting:
            return []
        names = with_dependencies(waiting)
        with self._runner.state.read() as connection:
            standings = self._known.read(connection, names)
            paused = builds.paused(connection)
        return [job for job in waiting if job.id not in paused and due(job, standings)]

    def _loop(self) -> None:
        while not self._stop.is_set():
            self._news.wait(LOOK_SECONDS)
            self._news.clear()
            if self._stop.is_set() or self._runner.daemon_fence is None:
                continue
            try:
                for job in self.look():
                    self._enter(job, Slot(None, AFTER))
                self._told = False
            except JanitorError as exc:
                log.log(logging.DEBUG if self._told else logging.WARNING, "what is due cannot be looked up: %s", exc)
                self._told = True
