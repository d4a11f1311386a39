"""What all runs of a process share, and how a task cannot take it away: it is put back, and told with the job's name.

    at once          Janitor's log handlers stay                                   logs/keeping.py
    at a run's end,  logging, and what Python's threads are started with:
    each second      the limit of recursion, trace functions, stack size, garbage, a closed sys.stdout
    once no other    sys.stdout, the working folder, umask, socket.setdefaulttimeout,  process_state.py
    run goes on      locale, limits of resources, warnings as errors, descriptors 0 to 2

The last kind waits, since another run may mean it so at this moment: its own `umask` for one file, say. While no run
goes on, all is looked at once, and then each ten seconds: a thread that a task left behind may still change something.
"""

import logging
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from janitor.engine.live import Live, LiveRuns
from janitor.engine.process_state import Interpreter, Process, Stays
from janitor.errors import summary
from janitor.guard import foreign_code
from janitor.logs.keeping import KeptLogging
from janitor.logs.mask import Mask
from janitor.logs.printed import Printed
from janitor.logs.run_log import RunLog
from janitor.runs.bounds import listed

log = logging.getLogger(__name__)

PUT_BACK = "while %s ran, this was changed for all jobs, and it is put back: %s"
STAYS = "while %s ran, this was changed for all jobs, and it cannot be put back: %s"
IDLE_LOOKS = 10
"""While no run goes on, only the first of so many looks is made."""
MOST_NAMED = 20
"""So many jobs are named as those that may have changed something."""
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
        self._last: set[str] = set()
        self._since_alone: set[str] = set()
        self._idle_looks = 0

    def print(self, name: str, text: str) -> None:
        """Print for the child process of a run, within the run, wherever a task has led `sys.stdout`."""
        stream = self._prints[name] if name in self._prints else getattr(sys, name)
        stream.write(text)

    def run_ends(self, run_id: int, job: str, live: LiveRuns) -> None:
        """Look as a run ends, inside the run: it is told of what is found."""
        self._idle_looks = 0
        for printed in self._prints.values():
            with foreign_code(_leave_as_it_is):
                printed.end_of(run_id)
        others = {number: one for number, one in list(live.items()) if number != run_id}
        own = {job} if run_id not in live or _shares(live[run_id]) else set()
        self._look(own, _jobs_of(others))

    def look(self, live: LiveRuns) -> None:
        """Look while runs go on; while none does, only now and then."""
        jobs = _jobs_of(live)
        self._idle_looks = 0 if jobs else self._idle_looks + 1
        if jobs or self._idle_looks % IDLE_LOOKS == 1:
            self._look(set(), jobs)

    def _look(self, ending: set[str], others: set[str]) -> None:
        jobs = ending | others
        self._last = jobs or self._last
        self._since_alone.update(jobs)
        self._tell(self._put_back(self._at_once), self._last)
        if not others:
            # What waits until no other run goes on may come from any run since the last that was.
            since = set(self._since_alone)  # a copy: other threads begin runs meanwhile
            self._tell(self._put_back(self._if_alone), since or self._last)
            self._since_alone -= since

    def _tell(self, found: Iterable[str], jobs: set[str]) -> None:
        for what in found:
            said = STAYS if isinstance(what, Stays) else PUT_BACK
            news = {(job, said, what) for job in jobs} - self._told
            self._told |= news
            if news:
                with foreign_code(_leave_as_it_is):
                    log.warning(said, listed(sorted(jobs), MOST_NAMED, " or {} more jobs"), what)

    def _put_back(self, parts: Iterable[PutBack]) -> list[str]:
        found: list[str] = []
        for part in parts:
            # What tasks put there is their code: streams, handlers, filters.
            with foreign_code(_leave_as_it_is):
                found.extend(part())
        return found


def _shares(one: Live) -> bool:
    """Whether a run goes on in a thread of this process: one in a process of its own changes nothing here."""
    return one.job.isolation == "thread"


def _jobs_of(live: LiveRuns) -> set[str]:
    return {one.job.id for one in list(live.values()) if _shares(one)}


def _leave_as_it_is(error: BaseException) -> None:
    log.debug("what runs share cannot be looked at: %s", summary(error))
