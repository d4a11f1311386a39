"""One run from its recorded start to its recorded end, whatever happens between."""

import functools
import json
import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timezone
from typing import Any

import tenacity
from sqlalchemy import Connection

from janitor.engine import child
from janitor.engine.beginning import uses_of
from janitor.engine.descriptions import Descriptions
from janitor.engine.journal import FAILURES, Journal, Record, is_recorded
from janitor.engine.stages import Begun, Entered, Live, Observer, Slot
from janitor.errors import Cancelled, DeadlineExceeded, Interrupted, JanitorError, Rejected, Skip, summary
from janitor.jobs import dependencies
from janitor.jobs.job import Job
from janitor.jobs.result_texts import decode
from janitor.jobs.results import filled
from janitor.jobs.returned import take
from janitor.logs import tracebacks
from janitor.logs.formats import facts_of
from janitor.logs.mask import Mask
from janitor.logs.run_log import RunLog
from janitor.runs import Fence, Outcome, Run, follow_into_threads, running
from janitor.settings.settings import Settings
from janitor.state import State, builds, leases, log_lines, run_records, starts
from janitor.state.database import held_names
from janitor.state.log_lines import LogLine
from janitor.state.run_records import Attempt, Ending, LostSlots

log = logging.getLogger(__name__)


class Runner:
    """Executes jobs and remembers how it went; shared by the daemon's lanes and the command line."""

    def __init__(self, state: State, settings: Settings, holder: str, mask: Mask, run_log: RunLog) -> None:
        """`holder` is this process's name on leases."""
        self.state, self.settings, self.holder = state, settings, holder
        self.mask, self._run_log = mask, run_log
        self.journal = Journal(state)
        self.live: dict[int, Live] = {}
        self._saving = threading.Lock()
        self.daemon_fence: Fence | None = None
        self.guard: Callable[[], None] = lambda: None
        self.jobs: Mapping[str, Job] = {}
        self.observers: list[Observer] = []
        self._descriptions = Descriptions(mask)
        follow_into_threads()

    def execute(self, job: Job, slot: Slot, dry_run: bool = False) -> tuple[int, Ending] | None:
        """Run a job to its end here; the run's id and ending, None where none could begin (why is recorded).

        No other run of the job may be going on in this process.

        Raises:
            JanitorError: a run without a slot could not begin; whoever asked is told why. `Skip`: it goes on already.
        """
        return self.carry_out(self.enter(job, slot, dry_run))

    def enter(self, job: Job, slot: Slot, dry_run: bool = False) -> Entered:
        """Put a run's beginning into the journal, in its order, without waiting for it; `carry_out` does the rest."""
        fences = () if slot.origin == run_records.BY_HAND else self._daemon_fences()
        write = functools.partial(self._record_start, job=job, slot=slot, dry_run=dry_run)
        return Entered(job, slot, dry_run, self.journal.add(Record(write, fences)))

    def carry_out(self, entered: Entered) -> tuple[int, Ending] | None:
        """Run what was entered to its end in this thread; returns and raises what `execute` does."""
        job, slot = entered.job, entered.slot
        try:
            begun = self.journal.result(entered.start)
        except Interrupted as exc:
            log.warning("%s did not start: %s", job.id, exc, extra={"facts": {"job": job.id}})
            return None
        except FAILURES as exc:
            if slot.at is None:
                raise
            if is_recorded(exc):
                log.info("the slot %s of %s has an outcome already", slot.at, job.id)
                return None
            reason = self.mask(f"the run could not be recorded: {exc}")
            log.error("%s failed: %s", job.id, reason, extra=facts_of(job.id, Outcome.FAILED, reason))
            lost = LostSlots(job.id, slot.at, slot.at, 1, Outcome.FAILED, reason, job.trigger)
            self.journal.settle(self.add_lost(lost, entered.start.fences))
            return None
        if isinstance(begun, LostSlots):
            self.tell_lost(begun)
            return None
        live = self._made_live(entered, begun)
        for observer in self.observers:
            observer.began(job, slot, live.run)
        return live.run.id, self._to_its_end(live)

    def lost(self, lost: LostSlots) -> None:
        """Record slots that got no run, now or when the state database is back."""
        self.journal.settle(self.add_lost(lost))

    def add_lost(self, lost: LostSlots, fences: tuple[Fence, ...] | None = None) -> Record:
        """Put slots that got no run into the journal, in their order, without waiting for it."""
        fences = self._daemon_fences() if fences is None else fences
        self.tell_lost(lost)
        record = Record(lambda connection: None, fences, kept=True, lost=lost)
        record.write = functools.partial(self._record_lost, record=record)
        return self.journal.add(record)

    def tell_lost(self, lost: LostSlots) -> None:
        """Tell the observers of what is recorded already, or is about to be."""
        for observer in self.observers:
            observer.lost(lost)

    def flush(self) -> None:
        """Save what waited for the state database, then the progress and log lines of the runs going on.

        Raises:
            Unavailable, Rejected: the state database is away; nothing is lost.
        """
        self.journal.flush()
        with self._saving:
            taken = {live.run.id: self._run_log.take(live.run.id) for live in list(self.live.values())}
            news = [live for live in list(self.live.values()) if live.unsaved or taken.get(live.run.id)]
            if not news:
                return
            try:
                self._save(news, taken)
            except FAILURES:
                for live in news:
                    live.unsaved = live.unsaved or bool(live.progress)
                    self._run_log.give_back(taken.get(live.run.id, ()))
                raise

    def cut_off(self, reason: str) -> None:
        """Record every run that still goes on as interrupted; whatever it does afterwards changes no record."""
        for live in list(self.live.values()):
            extra = facts_of(live.job.id, Outcome.INTERRUPTED, reason, live.run.id)
            log.warning("run %d of %s is cut off: %s", live.run.id, live.job.id, reason, extra=extra)
            now = datetime.now(timezone.utc)
            seconds = max(0.0, (now - live.run.started_at).total_seconds())
            ending = Ending(Outcome.INTERRUPTED, reason, now, seconds, attempts=live.run.attempt)
            with self._saving:
                record = self._close(live, ending, goes_on=True)
            self.journal.settle(record)

    @property
    def waiting(self) -> int:
        """How many records wait for the state database."""
        return self.journal.waiting

    def _daemon_fences(self) -> tuple[Fence, ...]:
        # Whoever does not lead has no say in slots: no lease ever has the token -1.
        return (self.daemon_fence or Fence(leases.DAEMON, -1),)

    def _record_start(self, connection: Connection, job: Job, slot: Slot, dry_run: bool) -> Begun | LostSlots:
        now = datetime.now(timezone.utc)
        standing = starts.look(connection, job.id)
        if slot.origin != run_records.BY_HAND and standing.paused:
            return self._skip(connection, job, slot.at, "paused")
        lease, shared_now = leases.job_lease(job.id), self.state.now(connection)
        seconds = self.settings.lease_seconds
        fence = leases.take(connection, lease, standing.lease, self.holder, shared_now, seconds, again=True)
        other = None if standing.running is None else run_records.get(connection, standing.running)
        if fence is None:
            where = f"run {other.id}" if other else "its last run"
            return self._skip(connection, job, slot.at, f"still running in another process ({where})")
        if other is not None:
            _close_dead(connection, other, now)
        used = dict[str, int]()
        if job.dependencies:
            try:
                used = uses_of(connection, job, slot.pins, by_itself=slot.origin == run_records.AFTER)
            except dependencies.NotReady as exc:
                leases.release(connection, fence)
                return self._skip(connection, job, slot.at, str(exc), exc)
        config = self._descriptions.keep(connection, job)
        run_id = run_records.start(connection, job.id, slot.origin, slot.at, now, dry_run, self.holder, config)
        builds.add_uses(connection, run_id, used)
        return Begun(run_id, fence, now, used)

    def _skip(
        self, connection: Connection, job: Job, slot_at: datetime | None, reason: str, error: JanitorError | None = None
    ) -> LostSlots:
        if slot_at is None:
            raise error or Skip(reason)
        log.info("%s skipped: %s", job.id, reason, extra=facts_of(job.id, Outcome.SKIPPED, reason))
        lost = LostSlots(job.id, slot_at, slot_at, 1, Outcome.SKIPPED, reason, job.trigger)
        run_records.record_lost(connection, lost, self.holder)
        return lost

    def _record_lost(self, connection: Connection, record: Record) -> None:
        lost = record.lost
        assert lost is not None
        if lost.outcome is Outcome.FAILED and lost.slots == 1:
            # Its start may have been committed although the answer never came.
            begun = run_records.open_slot(connection, lost.job, lost.first_at, self.holder)
            if begun is not None:
                run_records.finish(connection, begun, Ending(Outcome.FAILED, lost.reason, lost.last_at, 0.0))
                leases.release_of(connection, self.holder, leases.job_lease(lost.job))
                return
        run_records.record_lost(connection, lost, self.holder)

    def _made_live(self, entered: Entered, begun: Begun) -> Live:
        job, slot = entered.job, entered.slot
        deadline = time.monotonic() + job.timeout
        run = Run(begun.run_id, job.id, slot.at, begun.started_at, entered.dry_run, deadline, job.timeout)
        run.fences, run.state, run.guard = {begun.fence.name: begun.fence}, self.state, self.guard
        run.holder, run.used = leases.holder_of_run(self.holder, run.id), begun.used
        live = Live(run, job, begun.fence, {})
        run.on_progress = lambda path, done, total, note: _report(live, path, done, total, note)
        self._run_log.open(run.id)
        self.live[run.id] = live
        self._descriptions.is_kept(job)
        return live

    def _to_its_end(self, live: Live) -> Ending:
        run = live.run
        made: list[Attempt] = []
        began = time.monotonic()
        with running(run):
            log.info("started%s", " (dry run)" if run.dry_run else "")
            ending = self._tries(live, made)
            ending = replace(ending, seconds=time.monotonic() - began, attempts=len(made))
            if len(made) == 1 and made[0].outcome is ending.outcome:
                made.clear()
            _tell(ending)
        run.ended = True
        with self._saving:
            record = self._close(live, ending, made)
        self.journal.settle(record)
        return ending

    def _close(self, live: Live, ending: Ending, made: Sequence[Attempt] = (), goes_on: bool = False) -> Record | None:
        """Put the run's end into the journal, once; a task that still goes on keeps its leases."""
        run = live.run
        lines = self._run_log.close_run(run.id)
        if self.live.pop(run.id, None) is None:
            return None
        for observer in self.observers:
            observer.ended(live.job, run, ending)
        progress = _progress(live) if live.progress else None

        def write(connection: Connection) -> None:
            # False for a run that another daemon found dead: whatever it still says is nobody's any more.
            if run_records.finish(connection, run.id, ending):
                run_records.add_attempts(connection, run.id, made)
                log_lines.add(connection, lines)
                if ending.result is not None and not run.dry_run:
                    builds.add_result(connection, run.id, ending.result)
                if progress is not None:
                    run_records.save_progress(connection, run.id, progress)
            if not goes_on:
                leases.release(connection, live.fence)

        return self.journal.add(Record(write, kept=True))

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
            args, kwargs = filled((job.args, dict(job.kwargs)), functools.partial(self._result, run))
            if job.isolation == "process":
                returned = child.call(replace(job, args=args, kwargs=kwargs), run, self.settings)
            else:
                returned = take(job.func(*args, **kwargs), job.keeps_result)
            counts, result = self._masked(returned.counts), returned.result
            if time.monotonic() > run.deadline:
                reason = f"it finished, but over its timeout of {job.timeout:g} s"
                return Ending(Outcome.TIMED_OUT, reason, datetime.now(timezone.utc), 0.0, counts)
            return Ending(Outcome.SUCCEEDED, None, datetime.now(timezone.utc), 0.0, counts, result=result)
        except BaseException as exc:  # a task may also end with SystemExit or asyncio's CancelledError
            return self._ending(live, exc)

    def _masked(self, counts: dict[str, Any] | None) -> dict[str, Any] | None:
        """Counts without secrets: most are numbers, but a task may count in texts."""
        if counts is None or all(isinstance(one, (int, float)) for one in counts.values()):
            return counts
        masked: dict[str, Any] = json.loads(self.mask(json.dumps(counts)))
        return masked

    def _result(self, run: Run, job: str) -> Any:
        """What the run of a dependency returned that this run uses."""
        with self.state.read() as connection:
            content = builds.result(connection, run.used[job])
        if content is None:
            raise Rejected(f"run {run.used[job]} of {job} kept no result: run {job} again")
        return decode(content)

    def _ending(self, live: Live, error: BaseException) -> Ending:
        run = live.run
        outcome, reason = _outcome(run, error)
        trace = None
        if outcome in (Outcome.FAILED, Outcome.TIMED_OUT):
            told = getattr(error, "child_traceback", None)
            trace = self.mask(told) if told else tracebacks.render(error, self.mask, self.settings.traceback_locals)
        return Ending(outcome, self.mask(reason), datetime.now(timezone.utc), 0.0, None, trace)

    def _save(self, news: Sequence[Live], taken: Mapping[int, Sequence[LogLine]]) -> None:
        with self.state.begin() as connection:
            held = held_names(connection, [(live.fence.name, live.fence.token) for live in news])
            for live in [live for live in news if live.fence.name in held]:
                if live.unsaved:
                    live.unsaved = False
                    run_records.save_progress(connection, live.run.id, _progress(live))
                log_lines.add(connection, taken.get(live.run.id, ()))


def _close_dead(connection: Connection, row: Any, now: datetime) -> None:
    # Whoever gets the job's lease knows that no other run of the job is alive.
    seconds = max(0.0, (now - row.started_at).total_seconds())
    reason = "the process that ran it is gone"
    run_records.finish(connection, row.id, Ending(Outcome.INTERRUPTED, reason, now, seconds, attempts=row.attempts))


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
    return Outcome.FAILED, summary(error)


def _tell(ending: Ending) -> None:
    facts: dict[str, Any] = {"outcome": ending.outcome.value, "duration": round(ending.seconds, 6)}
    facts |= {"counts": ending.counts or {}} | ({"reason": ending.reason} if ending.reason else {})
    counts = "".join(f" {name}={value}" for name, value in (ending.counts or {}).items())
    level = logging.ERROR if ending.outcome in (Outcome.FAILED, Outcome.TIMED_OUT) else logging.INFO
    reason = f": {ending.reason}" if ending.reason else ""
    extra = {"facts": facts, "trace": ending.traceback}
    log.log(level, "%s after %.3f s%s%s", ending.outcome.value, ending.seconds, reason, counts, extra=extra)


def _backoff(wait: tenacity.wait_exponential_jitter, attempt: int) -> float:
    call = tenacity.RetryCallState(tenacity.Retrying(), None, (), {})
    call.attempt_number = attempt
    return wait(call)


def _progress(live: Live) -> str:
    # A copy, as other threads of the task may report meanwhile.
    return json.dumps(dict(live.progress), default=str)


def _report(live: Live, path: tuple[str, ...], done: float, total: float | None, note: str) -> None:
    node: dict[str, Any] = {"done": done, "total": total} | ({"note": note} if note else {})
    live.progress["/".join(name.replace("/", "\u2215") for name in path)] = node
    live.unsaved = True
