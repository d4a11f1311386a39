"""Jobs that run by themselves once their dependencies have newer successes than they have used."""

import logging
from collections.abc import Callable, Mapping

from janitor.engine.known_standings import KnownStandings
from janitor.engine.runner import Runner
from janitor.engine.stages import Slot
from janitor.errors import JanitorError
from janitor.jobs.dependencies import due, with_dependencies
from janitor.jobs.job import Job
from janitor.state import job_records
from janitor.state.run_records import AFTER

log = logging.getLogger(__name__)

LOOK_SECONDS = 5.0
"""How often the state database is looked at for successes of other processes."""


class Dependents:
    """One thread that looks which jobs are due after a run has ended, and begins them."""

    def __init__(
        self,
        jobs: Mapping[str, Job],
        runner: Runner,
        enter: Callable[[Job, Slot], None],
    ) -> None:
        """`enter` begins a run in its job's lane, or does nothing if the lane is taken."""
        self._jobs, self._runner, self._enter = jobs, runner, enter
        self._loop = runner.loops.loop("dependents", self._step, first=LOOK_SECONDS)
        self._known = KnownStandings()
        self._told = False

    def start(self) -> None:
        """Begin, in a thread of its own."""
        self._loop.start()

    def wake(self) -> None:
        """Look now: after a run of this process has ended, say."""
        self._loop.wake()

    def stop(self) -> None:
        """Begin no further run."""
        self._loop.ask_to_stop()

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
            paused = job_records.paused(connection)
        return [job for job in waiting if job.id not in paused and due(job, standings)]

    def _step(self) -> float:
        if self._runner.lead.fence is not None:
            self._try_look()
        return LOOK_SECONDS

    def _try_look(self) -> None:
        try:
            for job in self.look():
                with self._loop.duty.aside(job.id):
                    self._enter(job, Slot(None, AFTER))
            self._told = False
        except JanitorError as exc:
            log.log(logging.DEBUG if self._told else logging.WARNING, "what is due cannot be looked up: %s", exc)
            self._told = True
