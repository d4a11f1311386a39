"""One run from its recorded start to its recorded end, whatever happens between."""

import collections
import functools
import json
import logging
import threading
import time
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from typing import Any

import tenacity
from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from janitor import child
from janitor.errors import Cancelled, DeadlineExceeded, Interrupted, JanitorError, Skip
from janitor.jobs import Job
from janitor.logs import Mask, RunLog
from janitor.runs import Fence, Outcome, Run, running
from janitor.settings import Settings
from janitor.state import State, jobs, leases, logs, runs
from janitor.state.runs import Attempt, Ending, LostSlots

log = logging.getLogger(__name__)

MOST_PENDING = 10_000
"""How many records wait in memory while the state database is away; the oldest give way."""

Write = Callable[[Connection], object]


@dataclass(frozen=True)
class Slot:
    """What made a run start: a slot of the schedule, or a person, who has no slot."""

    at: datetime | None
    origin: str = runs.SCHEDULE


@dataclass
class Live:
    """A run that is going on in this process, and what it has reported."""

    run: Run
    job: Job
    fence: Fence
    progress: dict[str, Any]
    unsaved: bool = False
    warned: bool = False


class Runner:
    """Executes jobs and remembers how it went; shared by the daemon's lanes and the command line."""

    def __init__(self, state: State, settings: Settings, holder: str, mask: Mask, run_log: RunLog) -> None:
        """`holder` is this process's name on leases."""
        self.state, self.settings, self.holder = state, settings, holder
        self._mask, self._run_log = mask, run_log
        self.live: dict[int, Live] = {}
        self._pending: collections.deque[Write] = collections.deque(maxlen=MOST_PENDING)
        self._pending_lock = threading.Lock()
        self.daemon_fence: Fence | None = None
        self.guard: Callable[[], None] = lambda: None

    def execute(self, job: Job, slot: Slot, dry_run: bool = False) -> tuple[int, Ending] | None:
        """Run a job to its end in this thread; the run's id and ending, None where none could begin (why is recorded).

        Raises:
            JanitorError: a run without a slot could not begin; whoever asked for it is told why. `Skip`: it goes on already.
        """
        try:
            live = self._start(job, slot, dry_run)
        except IntegrityError:
            log.info("the slot %s of %s has an outcome already", slot.at, job.id)
            return None
        except Interrupted as exc:
            log.warning("%s did not start: %s", job.id, exc)
            return None
        except JanitorError as exc:
            if slot.at is None:
                raise
            reason = self._mask(f"the run could not be recorded: {exc}")
            log.error("%s failed: %s", job.id, reason)
            self.lost(LostSlots(job.id, slot.at, slot.at, 1, Outcome.FAILED, reason))
            return None
        return None if live is None else (live.run.id, self._to_its_end(live))

    def lost(self, lost: LostSlots) -> None:
        """Record slots that got no run, now or when the state database is back."""
        self._write(lambda connection: runs.record_lost(connection, lost, self.holder))

    def flush(self) -> None:
        """Save what waited for the state database, then the progress and log lines of the runs going on.

        Raises:
            Unavailable, Rejected: the state database is away; nothing is lost.
        """
        with self._pending_lock:
            while self._pending:
                write = self._pending[0]
                with self.state.begin() as connection:
                    _once(write, connection)
                self._pending.popleft()
        for live in list(self.live.values()):
            self._save(live)

    def cut_off(self, reason: str) -> None:
        """Record every run that still goes on as interrupted; whatever it does afterwards changes no record."""
        for live in list(self.live.values()):
            log.warning("run %d of %s is cut off: %s", live.run.id, live.job.id, reason)
            now = datetime.now(timezone.utc)
            seconds = max(0.0, (now - live.run.started_at).total_seconds())
            ending = Ending(Outcome.INTERRUPTED, reason, now, seconds, attempts=live.run.attempt)
            self._write(functools.partial(runs.finish, run_id=live.run.id, ending=ending))

    @property
    def waiting(self) -> int:
        """How many records wait for the state database."""
        return len(self._pending)

    def _write(self, write: Write) -> None:
        if not self._pending:
            try:
                with self.state.begin() as connection:
                    _once(write, connection)
                return
            except JanitorError as exc:
                log.warning("kept in memory until the state database is back: %s", exc)
        self._pending.append(write)

    def _start(self, job: Job, slot: Slot, dry_run: bool) -> Live | None:
        fences = (self.daemon_fence,) if self.daemon_fence and slot.origin != runs.BY_HAND else ()
        now = datetime.now(timezone.utc)
        with self.state.begin(*fences) as connection:
            if slot.at is not None and jobs.is_paused(connection, job.id):
                self._skip(connection, job, slot.at, "paused")
                return None
            shared_now = self.state.now(connection)
            lease = leases.job_lease(job.id)
            fence = leases.acquire(connection, lease, self.holder, shared_now, self.settings.lease_seconds)
            other = runs.running(connection, job.id)
            if fence is None:
                where = f"run {other.id}" if other else "its last run"
                self._skip(connection, job, slot.at, f"still running in another process ({where})")
                return None
            if other is not None:
                _close_dead(connection, other, now)
            run_id = runs.start(connection, job.id, slot.origin, slot.at, now, dry_run, self.holder)
        run = Run(run_id, job.id, slot.at, now, dry_run, time.monotonic() + job.timeout, job.timeout)
        run.fences, run.state, run.holder, run.guard = {lease: fence}, self.state, self.holder, self.guard
        live = Live(run, job, fence, {})
        run.on_progress = lambda path, done, total, note: _report(live, path, done, total, note)
        self._run_log.open(run_id)
        self.live[run_id] = live
        return live

    def _skip(self, connection: Connection, job: Job, slot_at: datetime | None, reason: str) -> None:
        if slot_at is None:
            raise Skip(reason)
        log.info("%s skipped: %s", job.id, reason)
        runs.record_lost(connection, LostSlots(job.id, slot_at, slot_at, 1, Outcome.SKIPPED, reason), self.holder)

    def _to_its_end(self, live: Live) -> Ending:
        run = live.run
        made: list[Attempt] = []
        began = time.monotonic()
        with running(run):
            log.info("started%s", " (dry run)" if run.dry_run else "")
            ending = self._tries(live, made)
            ending = replace(ending, seconds=time.monotonic() - began, attempts=len(made))
            _tell(ending)
        lines = self._run_log.close_run(run.id)
        progress = json.dumps(live.progress) if live.progress else None

        def close(connection: Connection) -> None:
            if runs.finish(connection, run.id, ending):
                runs.add_attempts(connection, run.id, made if len(made) > 1 else [])
            logs.add(connection, lines)
            if progress is not None:
                runs.save_progress(connection, run.id, progress)
            leases.release(connection, live.fence)

        self.live.pop(run.id, None)
        self._write(close)
        return ending

    def _tries(self, live: Live, made: list[Attempt]) -> Ending:
        """Call the task up to 1 + retries times, with exponential backoff and jitter between."""
        run, job = live.run, live.job
        backoff = tenacity.wait_exponential_jitter(initial=1, max=300, jitter=1)
        while True:
            run.attempt = len(made) + 1
            started_at = datetime.now(timezone.utc)
            ending = self._try(live)
            made.append(
                Attempt(run.attempt, started_at, ending.ended_at, ending.outcome, ending.reason, ending.traceback)
            )
            if ending.outcome is not Outcome.FAILED or run.attempt > job.retries:
                return ending
            pause = _backoff(backoff, run.attempt)
            log.warning(
                "attempt %d of %d failed, the next in %.1f s: %s", run.attempt, job.retries + 1, pause, ending.reason
            )
            try:
                run.sleep(pause)
            except JanitorError as exc:
                return self._ending(live, exc)

    def _try(self, live: Live) -> Ending:
        run, job = live.run, live.job
        try:
            if job.isolation == "process":
                counts = child.call(job, run, self.settings, self._run_log)
            else:
                counts = as_counts(job.func(*job.args, **job.kwargs))
            if time.monotonic() > run.deadline:
                reason = f"it finished, but over its timeout of {job.timeout:g} s"
                return Ending(Outcome.TIMED_OUT, reason, datetime.now(timezone.utc), 0.0, counts)
            return Ending(Outcome.SUCCEEDED, None, datetime.now(timezone.utc), 0.0, counts)
        except (Exception, SystemExit) as exc:
            return self._ending(live, exc)

    def _ending(self, live: Live, error: BaseException) -> Ending:
        run = live.run
        outcome, reason = _outcome(run, error)
        trace = None
        if outcome in (Outcome.FAILED, Outcome.TIMED_OUT):
            trace = self._mask(getattr(error, "child_traceback", None) or "".join(traceback.format_exception(error)))
        return Ending(outcome, self._mask(reason), datetime.now(timezone.utc), 0.0, None, trace)

    def _save(self, live: Live) -> None:
        lines = self._run_log.take(live.run.id)
        if not lines and not live.unsaved:
            return
        try:
            with self.state.begin() as connection:
                logs.add(connection, lines)
                if live.unsaved:
                    live.unsaved = False
                    runs.save_progress(connection, live.run.id, json.dumps(live.progress))
        except JanitorError:
            live.unsaved = True
            self._run_log.give_back(lines)
            raise


def as_counts(returned: object) -> dict[str, Any] | None:
    """What a task returned, where it is a mapping; anything else is not kept."""
    return {str(key): value for key, value in returned.items()} if isinstance(returned, Mapping) else None


def _once(write: Write, connection: Connection) -> None:
    """A record that is there already was written by an attempt whose answer got lost."""
    try:
        with connection.begin_nested():
            write(connection)
    except IntegrityError as exc:
        log.info("already recorded: %s", exc.orig)


def _close_dead(connection: Connection, row: Any, now: datetime) -> None:
    # Whoever gets the job's lease knows that no other run of the job is alive.
    seconds = max(0.0, (now - row.started_at).total_seconds())
    reason = "the process that ran it is gone"
    runs.finish(connection, row.id, Ending(Outcome.INTERRUPTED, reason, now, seconds, attempts=row.attempts))


def _outcome(run: Run, error: BaseException) -> tuple[Outcome, str]:
    if isinstance(error, Skip):
        return Outcome.SKIPPED, str(error)
    if run.stop.is_set() and isinstance(error, JanitorError):
        error = run.stopped_by or error
    if isinstance(error, Interrupted):
        return Outcome.INTERRUPTED, str(error)
    if isinstance(error, Cancelled):
        return Outcome.CANCELLED, str(error)
    if isinstance(error, DeadlineExceeded):
        return Outcome.TIMED_OUT, str(error)
    if isinstance(error, JanitorError) and time.monotonic() > run.deadline:
        return Outcome.TIMED_OUT, f"over its timeout of {run.timeout_seconds:g} s: {error}"
    if isinstance(error, JanitorError):
        return Outcome.FAILED, str(error)
    return Outcome.FAILED, f"{type(error).__name__}: {error}"


def _tell(ending: Ending) -> None:
    facts = {"outcome": ending.outcome.value, "duration": round(ending.seconds, 6), "counts": ending.counts or {}}
    counts = "".join(f" {name}={value}" for name, value in (ending.counts or {}).items())
    level = logging.ERROR if ending.outcome in (Outcome.FAILED, Outcome.TIMED_OUT) else logging.INFO
    reason = f": {ending.reason}" if ending.reason else ""
    extra = {"facts": facts, "trace": ending.traceback}
    log.log(level, "%s after %.3f s%s%s", ending.outcome.value, ending.seconds, reason, counts, extra=extra)


def _backoff(wait: tenacity.wait_exponential_jitter, attempt: int) -> float:
    call = tenacity.RetryCallState(tenacity.Retrying(), None, (), {})
    call.attempt_number = attempt
    return wait(call)


def _report(live: Live, path: tuple[str, ...], done: float, total: float | None, note: str) -> None:
    node: dict[str, Any] = {"done": done, "total": total} | ({"note": note} if note else {})
    live.progress["/".join(path)] = node
    live.unsaved = True
