"""What all runs of a process share, and how a task cannot take it away: it is put back, and told with the job's name.

    at once          Janitor's log handlers stay                                   logs/keeping.py
    at a run's end,  logging, and what Python's threads are started with:
    each second      the limit of recursion, trace functions, stack size, garbage, a closed sys.stdout
    once no other    sys.stdout, the working folder, umask, socket.setdefaulttimeout,  process_state.py
    run goes on      locale, limits of resources, warnings as errors, descriptors 0 to 2

The last kind waits, since another run may mean it so at this moment: its own `umask` for one file, say.
"""

import logging
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from janitor.engine.live import LiveRuns
from janitor.engine.process_state import Interpreter, Process, Stays
from janitor.errors import summary
from janitor.guard import foreign_code
from janitor.logs.keeping import KeptLogging
from janitor.logs.mask import Mask
from janitor.logs.printed import Printed
from janitor.logs.run_log import RunLog

log = logging.getLogger(__name__)

PUT_BACK = "while %s ran, this was changed for all jobs, and it is put back: %s"
STAYS = "while %s ran, this was changed for all jobs, and it cannot be put back: %s"
PutBack = Callable[[], Iterator[str]]
"""Puts back what was changed, and tells each in words."""


def kept(mask: Mask, run_log: RunLog, echo: bool = False) -> "Surroundings":
    """Keep the surroundings of this process as they are now, from now on; what runs print is in their logs.

    With `echo` stdout and stderr get it too, as it is but for secrets; without it they get the log's lines.
    """
    handle = run_log.handle if echo else logging.getLogger().callHandlers
    prints = {
        name: Printed(stream or open(os.devnull, "w", encoding="utf-8"), name, handle, mask if echo else None)
        for name, stream in (("stdout", sys.stdout), ("stderr", sys.stderr))
    }
    process = Process(**prints)
    at_once = KeptLogging(mask).put_back, Interpreter().put_back, process.put_back_streams
    return Surroundings(at_once, [process.put_back], prints)


class Surroundings:
    """Looks at what runs share, and puts it back; without parts it has nothing to look at."""

    def __init__(
        self,
        at_once: Sequence[PutBack] = (),
        if_alone: Sequence[PutBack] = (),
        prints: Mapping[str, Printed] | None = None,
    ) -> None:
        """`at_once` is looked at whatever goes on, `if_alone` only if no other run does; `prints` by their names."""
        self._at_once, self._if_alone, self._prints = at_once, if_alone, prints or {}
        self._told: set[tuple[str, str, str]] = set()
        self._last = ""

    def print(self, name: str, text: str) -> None:
        """Print for the child process of a run, within the run, wherever a task has led `sys.stdout`."""
        stream = self._prints[name] if name in self._prints else getattr(sys, name)
        stream.write(text)

    def run_ends(self, run_id: int, job: str, live: LiveRuns) -> None:
        """Look as a run ends, inside the run: it is told of what is found."""
        for printed in self._prints.values():
            with foreign_code(_leave_as_it_is):
                printed.end_of(run_id)
        self._last = job
        self._look({job, *_jobs_of(live)}, alone=len(live) <= 1)

    def look(self, live: LiveRuns) -> None:
        """Look while runs go on, or none does."""
        self._look(_jobs_of(live) or {self._last}, alone=not live)

    def _look(self, jobs: set[str], alone: bool) -> None:
        for what in self._put_back(alone):
            said = STAYS if isinstance(what, Stays) else PUT_BACK
            news = {(job, said, what) for job in jobs} - self._told
            self._told |= news
            if news:
                with foreign_code(_leave_as_it_is):
                    log.warning(said, ", ".join(sorted(jobs)), what)

    def _put_back(self, alone: bool) -> list[str]:
        parts: Iterable[PutBack] = (*self._at_once, *self._if_alone) if alone else self._at_once
        found: list[str] = []
        for part in parts:
            # What tasks put there is their code: streams, handlers, filters.
            with foreign_code(_leave_as_it_is):
                found.extend(part())
        return found


def _jobs_of(live: LiveRuns) -> set[str]:
    return {one.job.id for one in list(live.values())}


def _leave_as_it_is(error: BaseException) -> None:
    log.debug("what runs share cannot be looked at: %s", summary(error))
