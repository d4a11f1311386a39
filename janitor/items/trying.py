"""One try of a step on an item: the function is called, and what it returns or raises becomes an end.

returns None                      processed
returns a status                  that status; its kind tells whether it is an error
returns another text              its failed status, with a reason that names the statuses there are
raises                            its failed status with the reason and the traceback; tried again if it may be
raises Skip                       not processed, and looked at again after a minute
is over its time                  time limit exceeded
the run is asked to stop          not processed, as if it had not been taken
the run may have lost its lease   the same
past its `expires_at` before      expired, and the function is not called
"""

import functools
import random
import time
from collections.abc import Callable
from contextlib import ExitStack, nullcontext
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from janitor.errors import Cancelled, DeadlineExceeded, JanitorError, Skip, is_a, summary, text_of
from janitor.guard import foreign_code
from janitor.items.beats import Beats
from janitor.items.item import Item, secrets_in, working_on
from janitor.items.pipeline import Pipeline
from janitor.items.sealing import Seal
from janitor.items.step import Step
from janitor.jobs.result_texts import encode
from janitor.jobs.returned import finished
from janitor.logs import tracebacks
from janitor.logs.mask import hiding
from janitor.logs.run_log import Beside, keeps_beside
from janitor.runs import Run, bounds, running
from janitor.runs.bounds import listed, shortened, shown
from janitor.runs.forks import EndsHereInChildren
from janitor.state.item_claims import INTERRUPTED, Claimed
from janitor.state.item_endings import End
from janitor.state.item_states import EXPIRED, FAILED, LATER, NOT_PROCESSED, PROCESSED, READY, TOO_LONG, state_of
from janitor.state.raised import Raised

FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 1.0, 3600.0
SKIP_SECONDS = 60.0
"""After so long a step looks again at an item that it has passed over."""
MOST_SHOWN = 100
_NO_SECRET = nullcontext()
MOST_DEATHS = 3
"""So many processes may die of an item, or as many as it has tries."""


class Failed(JanitorError):
    """Raised when a step says by itself how an item has failed: `status` is that, `code` is for whoever asked."""

    def __init__(self, reason: str, status: str | None = None, code: str | None = None) -> None:
        self.status, self.code = status, code
        super().__init__(reason)


class Died(JanitorError):
    """Raised when the process ended in which a step was called for an item."""


class FailedElsewhere(JanitorError):
    """Raised when a step failed in a child process; `raised` is what was raised there."""

    def __init__(self, reason: str, raised: tuple[Raised, ...] = ()) -> None:
        self.raised = raised
        super().__init__(reason)


class Returned(NamedTuple):
    """What a step's function returned, and what it left in `item.result` as a JSON text.

    `failure` has the arguments of `Failed`, if it raised that in another process.
    """

    value: Any
    result: str | None
    failure: tuple[str, str | None, str | None] | None = None


@dataclass(frozen=True)
class Shown:
    """In place of what a function returned in another process, and what can be no status: it may not be sendable."""

    text: str


Call = Callable[[Item, Run], Returned]
"""Calls a step's function for an item, here or in a child process."""


def call_here(step: Step, item: Item, run: Run) -> Returned:
    """Call a step's function in this thread."""
    with EndsHereInChildren():
        value = finished(step.func(item))
    return Returned(value, None if item.result is None else encode(item.result))


class Trying:
    """Tries one step; any thread of its run may use it."""

    def __init__(
        self,
        pipeline: Pipeline,
        step: Step,
        run: Run,
        now: Callable[[], datetime],
        variables: bool = False,
        beats: Beats | None = None,
        seal: Seal | None = None,
    ) -> None:
        """`now` is the state database's clock; `variables` adds local variables to tracebacks.

        `beats` are told of each item that begins, and how it ended. `seal` opens secrets.
        """
        self._seal = seal
        self._beats = beats or Beats((), None)
        self._pipeline, self._step, self._run, self._now = pipeline, step, run, now
        self._kinds, self._variables = pipeline.kinds, variables

    def try_one(self, claimed: Claimed, call: Call) -> End:
        """Call the step for an item; how that ended."""
        started_at, began = self._now(), time.monotonic()
        if claimed.expires_at is not None and claimed.expires_at <= started_at:
            return End(claimed.id, claimed.claim, FAILED, EXPIRED, started_at, 0.0, EXPIRED)
        beside, part = Beside(), self._run.part(self._step.timeout, functools.partial(self._progress, claimed.key))
        told = working_on.set(None), keeps_beside.set(beside)
        failing = functools.partial(self._of_error, claimed, part)
        try:
            # What is raised is told while its secrets are hidden.
            secret = _NO_SECRET if claimed.secrets is None else ExitStack()
            with running(part), secret as hidden, foreign_code(failing, BaseException) as failed:
                if hidden is not None:
                    claimed = self._opened(claimed)
                    hidden.enter_context(hiding(secrets_in(claimed)))
                item = Item.of(self._pipeline.name, self._step.name, claimed)
                working_on.set(item)
                self._beats.begins(item)
                facts = self._of_value(call(item, part), began + self._step.timeout)
        finally:
            part.ended = True
            working_on.reset(told[0])
            keeps_beside.reset(told[1])
        facts = facts if failed.instead is None else failed.instead
        self._beats.ended(claimed.id, facts["told"])
        seconds = time.monotonic() - began
        return End(claimed.id, claimed.claim, started_at=started_at, seconds=seconds, log=beside.text(), **facts)

    def _opened(self, claimed: Claimed) -> Claimed:
        """The item with its secrets as they came."""
        if self._seal is None or claimed.secrets is None or claimed.secrets.startswith("{"):
            return claimed
        return claimed._replace(secrets=self._seal.opened(claimed.secrets))

    def _progress(self, key: str, path: tuple[str, ...], done: float, total: float | None, note: str) -> None:
        self._run.on_progress((key, *path), done, total, note)

    def _of_value(self, returned: Returned, until: float) -> dict[str, Any]:
        status, reason = self._status_of(returned.value)
        if time.monotonic() > until:
            status, reason = TOO_LONG, f"it finished, but over its time limit of {self._step.timeout:g} s"
        state = state_of(self._kinds[status])
        return {"state": state, "status": status, "told": status, "reason": reason, "result": returned.result}

    def _status_of(self, value: Any) -> tuple[str, str | None]:
        if value is None:
            return PROCESSED, None
        if isinstance(value, str) and value in self._kinds:
            return value, None
        known = listed(sorted(self._kinds), 20)
        given, name = value.text if isinstance(value, Shown) else shown(value, MOST_SHOWN), self._pipeline.name
        said = f"it returned {given}, which is no status of {name}: return None, or {known}"
        return self._step.failed, self._run.mask(said)

    def _of_error(self, claimed: Claimed, part: Run, error: BaseException) -> dict[str, Any]:
        """What an error means; this is a guard's handler, so it may not fail itself."""
        # It is no failure of the item's that the run was asked to stop, or may have lost its lease.
        if is_a(error, JanitorError) and (part.in_doubt or (self._run.stop.is_set() and is_a(error, Cancelled))):
            return _back(text_of(error))
        reason = text_of(error) if is_a(error, JanitorError) else summary(error)
        reason = shortened(self._run.mask(reason), bounds.REASON)
        if is_a(error, Skip):
            until = self._now() + timedelta(seconds=SKIP_SECONDS)
            return {**_back(reason), "state": LATER, "until": until, "told": NOT_PROCESSED}
        is_late = is_a(error, DeadlineExceeded) or (is_a(error, JanitorError) and time.monotonic() > part.deadline)
        if is_late and self._run.remaining_seconds <= 0 < part.timeout_seconds and part.deadline >= self._run.deadline:
            return _back("its run was over its time")
        if is_a(error, Died):
            return self._of_death(claimed, reason)
        given = error if is_a(error, Failed) else None
        status = TOO_LONG if is_late else self._failed_as(given)
        if given is not None and not is_late and given.status not in (None, status):
            reason = shortened(self._run.mask(f"{reason}; {self._no_failure(given.status)}"), bounds.REASON)
        trace = None if is_late or given is not None else self._trace(error)
        code = None if is_late or given is None or given.code is None else self._run.mask(text_of(given.code))
        found = {"status": status, "told": status, "reason": reason, "traceback": trace, "code": code}
        if claimed.tries < self._step.retries:
            return {**found, "state": LATER, "until": self._now() + pause(claimed.tries)}
        return {**found, "state": state_of(self._kinds[status])}

    def _failed_as(self, given: Failed | None) -> str:
        """The status of a failure; a step may have said it by itself."""
        status: object = None if given is None else given.status
        is_one = isinstance(status, str) and self._kinds.get(status, "ok") != "ok"
        return str(status) if is_one else self._step.failed

    def _no_failure(self, status: object) -> str:
        is_none = f"is no status of a failure in {self._pipeline.name}"
        return f"{shown(status, MOST_SHOWN)} {is_none}: give {self._pipeline.failures}"

    def _of_death(self, claimed: Claimed, reason: str) -> dict[str, Any]:
        """An item whose own process died: it is tried again, but not for ever."""
        deaths, most = claimed.deaths + 1, most_deaths(self._step)
        found: dict[str, Any] = {"died": True, "reason": f"{reason}; {deaths} of {most} that it may take"}
        if deaths < most:
            until = self._now() + pause(claimed.deaths)
            return {**found, "state": LATER, "status": NOT_PROCESSED, "told": INTERRUPTED, "until": until}
        return {**found, "state": FAILED, "status": self._step.failed, "told": self._step.failed}

    def _trace(self, error: BaseException) -> str:
        if is_a(error, FailedElsewhere):
            text = self._run.mask(tracebacks.as_text(error.raised))
        else:
            text = tracebacks.render(from_step_on(error), self._run.mask, self._variables)
        return shortened(text, bounds.TRACEBACK, keep_end=True)


def from_step_on(error: BaseException, file: str = __file__) -> BaseException:
    """An error with its traceback from the step's function on, without the frames of this file and `file` before it."""
    frames = error.__traceback__
    while frames is not None and frames.tb_frame.f_code.co_filename in (__file__, file):
        frames = frames.tb_next
    return error.with_traceback(frames or error.__traceback__)


def _back(reason: str) -> dict[str, Any]:
    return {"state": READY, "status": NOT_PROCESSED, "told": INTERRUPTED, "reason": reason, "counts": False}


def most_deaths(step: Step) -> int:
    """How many processes an item may take with it."""
    return max(MOST_DEATHS, step.retries + 1)


def pause(tries: int) -> timedelta:
    """How long to wait after a failed try: 1, 2, 4, ... seconds, and up to as much again by chance; an hour at most."""
    base = min(LONGEST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2.0 ** min(tries, 20))
    return timedelta(seconds=base * random.uniform(1, 2))
