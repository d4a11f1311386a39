"""The attempts of a run: its task is called until it does not fail, or has failed often enough."""

import functools
import logging
import random
import time
from dataclasses import replace
from typing import Any

from janitor.engine import child
from janitor.engine.live import Live
from janitor.errors import (
    Cancelled,
    DeadlineExceeded,
    Interrupted,
    JanitorError,
    Rejected,
    Skip,
    is_a,
    name_of,
    summary,
    text_of,
)
from janitor.guard import foreign_code
from janitor.jobs.job import Job
from janitor.jobs.result_texts import decode
from janitor.jobs.results import filled
from janitor.jobs.returned import Returned, call
from janitor.logs import tracebacks
from janitor.logs.captured import capture
from janitor.logs.mask import Mask
from janitor.runs import Outcome, Run, bounds
from janitor.runs.bounds import shortened
from janitor.runs.forks import EndsHereInChildren
from janitor.settings.settings import Settings
from janitor.state import State, result_records
from janitor.state.raised import Raised
from janitor.state.run_records import Attempt, Ending

log = logging.getLogger(__name__)

LONGEST_PAUSE_SECONDS = 300.0
ENDS = (
    (Skip, Outcome.SKIPPED),
    (Interrupted, Outcome.INTERRUPTED),
    (Cancelled, Outcome.CANCELLED),
    (DeadlineExceeded, Outcome.TIMED_OUT),
)
"""The outcome of each error that is no failure; the first that fits counts."""


class Attempts:
    """Calls tasks, and turns what they return or raise into an ending."""

    def __init__(self, state: State, settings: Settings, mask: Mask, show: child.Show) -> None:
        """`mask` takes secrets out of everything that is kept of a run; `show` prints for child processes."""
        self._state, self._settings, self._mask, self._show = state, settings, mask, show

    def make(self, live: Live) -> tuple[Ending, list[Attempt]]:
        """Call the task up to 1 + retries times, with growing pauses between; how the run ended, and each attempt."""
        run, job = live.run, live.job
        made: list[Attempt] = []
        while True:
            ending = self._make_one(live, made)
            if ending.outcome is not Outcome.FAILED or run.attempt > job.retries:
                return ending, made
            pause = pause_seconds(run.attempt)
            log.warning(
                "attempt %d of %d failed, the next in %.1f s: %s", run.attempt, job.retries + 1, pause, ending.reason
            )
            try:
                run.sleep(pause)
            except JanitorError as exc:
                return self._ending_of(run, exc), made

    def _make_one(self, live: Live, made: list[Attempt]) -> Ending:
        run = live.run
        run.attempt = len(made) + 1
        started_at = self._state.clock.now()
        # A task may also end with SystemExit, or with asyncio's CancelledError.
        with foreign_code(functools.partial(self._ending_of, run), BaseException) as failed:
            ending = self._ended_well(run, self._call(live.job, run))
        ending = failed.instead or ending
        made.append(Attempt(run.attempt, started_at, ending.ended_at, ending.outcome, ending.reason, ending.traceback))
        return ending

    def _call(self, job: Job, run: Run) -> Returned:
        args, kwargs = filled((job.args, dict(job.kwargs)), functools.partial(self._result_of, run))
        if job.isolation == "process":
            return child.call(replace(job, args=args, kwargs=kwargs), run, self._settings, self._show)
        with EndsHereInChildren():
            return call(functools.partial(job.func, *args, **kwargs), job.keeps_result)

    def _result_of(self, run: Run, job: str) -> Any:
        """What the run of a dependency returned that this run uses."""
        with self._state.read() as connection:
            content = result_records.load(connection, run.used[job])
        if content is None:
            raise Rejected(f"run {run.used[job]} of {job} kept no result: run {job} again")
        return decode(content)

    def _ended_well(self, run: Run, returned: Returned) -> Ending:
        counts, now = self._masked(returned.counts), self._state.clock.now()
        if time.monotonic() > run.deadline:
            reason = f"it finished, but over its timeout of {run.timeout_seconds:g} s"
            return Ending(Outcome.TIMED_OUT, reason, now, 0.0, counts)
        return Ending(Outcome.SUCCEEDED, None, now, 0.0, counts, result=returned.result)

    def _masked(self, counts: dict[str, Any] | None) -> dict[str, Any] | None:
        """Counts without secrets; most counts are numbers, but a task may count in texts, and by any name."""
        masked: dict[str, Any] | None = self._mask.value(counts)
        return masked

    def _ending_of(self, run: Run, error: BaseException) -> Ending:
        now, ending = self._state.clock.now(), None
        with foreign_code(functools.partial(_undescribed, error), BaseException) as failed:
            outcome, reason = outcome_of(run, error)
            raised = self._raised(error) if outcome in (Outcome.FAILED, Outcome.TIMED_OUT) else ()
            text = shortened(self._mask(tracebacks.as_text(raised)), bounds.TRACEBACK, keep_end=True)
            said = shortened(self._mask(reason), bounds.REASON)
            ending = Ending(outcome, said, now, 0.0, traceback=text or None, raised=raised)
        return ending or Ending(Outcome.FAILED, failed.instead, now, 0.0)

    def _raised(self, error: BaseException) -> tuple[Raised, ...]:
        if is_a(error, child.ChildFailed) and error.raised:
            return error.raised
        return capture(error, self._mask, self._settings.traceback_locals)


def outcome_of(run: Run, error: BaseException) -> tuple[Outcome, str]:
    """The outcome of a run whose task raised `error`, and the reason in words."""
    if run.stop.is_set() and run.stopped_by is not None and is_a(error, JanitorError) and not is_a(error, Skip):
        error = run.stopped_by
    text = text_of(error)
    for kind, outcome in ENDS:
        if is_a(error, kind):
            return outcome, text
    if not is_a(error, JanitorError):
        return Outcome.FAILED, summary(error)
    if time.monotonic() > run.deadline:
        return Outcome.TIMED_OUT, f"over its timeout of {run.timeout_seconds:g} s: {text}"
    return Outcome.FAILED, text


def _undescribed(error: BaseException, failure: BaseException) -> str:
    """What is left to say of an error that cannot be described: out of memory, perhaps."""
    return f"{name_of(error)}; how it came about cannot be told, since that failed too: {name_of(failure)}"


def pause_seconds(attempt: int) -> float:
    """How long to wait after a failed attempt: 1, 2, 4 ... seconds, and up to a second more by chance."""
    return min(LONGEST_PAUSE_SECONDS, 2.0 ** min(attempt - 1, 20) + random.uniform(0, 1))
