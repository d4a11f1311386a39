"""The clock: APScheduler's BlockingScheduler whose jobs become recorded runs, each in a lane of its own."""

import functools
import logging
import os
import signal
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from types import FrameType
from typing import Any

from apscheduler.job import Job as ClockJob
from apscheduler.jobstores.base import ConflictingIdError
from apscheduler.schedulers.base import STATE_RUNNING, STATE_STOPPED
from apscheduler.schedulers.blocking import BlockingScheduler
from apscheduler.triggers.base import BaseTrigger
from apscheduler.triggers.date import DateTrigger
from apscheduler.triggers.interval import IntervalTrigger
from apscheduler.util import ref_to_obj, undefined
from sqlalchemy import Connection

from janitor.engine import heartbeat
from janitor.engine.dependents import Dependents
from janitor.engine.keeper import Keeper
from janitor.engine.lanes import ASLEEP, Lanes, before_last
from janitor.engine.runner import Runner
from janitor.engine.stages import Slot
from janitor.errors import BadSetting, Interrupted, JanitorError
from janitor.jobs import schedules
from janitor.jobs.job import LATE_SECONDS, CatchUp, Isolation, Job, Jobs, check_options
from janitor.jobs.slots import next_slot, slots_between
from janitor.jobs.variables import check_variable, is_true, unknown_variables, variable
from janitor.needs import Need
from janitor.settings.settings import Settings
from janitor.state import job_records, run_records
from janitor.state.job_records import JobRecord

log = logging.getLogger(__name__)

RECORD_SECONDS = 5.0
"""How long a daemon that stops may take, after its grace, to record what it still has to: a server may hang."""

LEAP = timedelta(seconds=60)
"""By how much the time of day must leap, either way, for the slots to be counted anew; less is waited out."""


class Scheduler(BlockingScheduler):  # type: ignore[misc]  # APScheduler 3 has no annotations
    """A BlockingScheduler that remembers: every slot ends in exactly one recorded outcome."""

    def __init__(self, settings: Settings) -> None:
        """Prepare a clock without jobs; nothing is opened or started."""
        self.settings = settings
        self.jobs = Jobs()
        self._own: dict[str, Job] = {}
        self._lanes = Lanes(self.jobs)
        self._begin_at: set[str] = set()
        self._keeper: Keeper | None = None
        self._dependents: Dependents | None = None
        self._stopping = threading.Event()
        self._beats_fail = False
        self._leapt = False
        self._changing = threading.RLock()
        self.ticked_at: float | None = None
        self._ticked = 0.0
        defaults = {"misfire_grace_time": None, "coalesce": False, "max_instances": 1}
        super().__init__(timezone=timezone.utc, executors={"default": self._lanes}, job_defaults=defaults)

    def add_job(
        self,
        func: Callable[..., object] | str,
        trigger: BaseTrigger | str | None = None,
        args: Sequence[Any] | None = None,
        kwargs: Mapping[str, Any] | None = None,
        id: str | None = None,
        name: str | None = None,
        misfire_grace_time: float | None = undefined,
        coalesce: bool = undefined,
        max_instances: int = undefined,
        next_run_time: datetime | None = undefined,
        jobstore: str = "default",
        executor: str = "default",
        replace_existing: bool = False,
        *,
        timeout: float = 3600.0,
        retries: int = 0,
        catch_up: CatchUp = "last",
        isolation: Isolation = "thread",
        enabled: bool | str = True,
        needs: Sequence[Need] = (),
        title: str = "",
        notes: str = "",
        dependencies: Sequence[str] = (),
        tags: Sequence[str] = (),
        protect: bool = False,
        cleanup: Callable[..., object] | None = None,
        **trigger_args: Any,
    ) -> ClockJob:
        """Put a task on a schedule: APScheduler's `add_job`, with a few more keywords.

        Args:
            id: the job's name everywhere; the function's name when None. `<ID>_ENABLED` and `<ID>_SCHEDULE` override
                from the environment.
            trigger: APScheduler's, or `every 5m`, `cron 0 2 * * *`, `at 2027-01-01T00:00Z`, `after` (its dependencies)
                or `by hand`. An interval without a start date has its slots at whole multiples of it since 1970, so
                that they are the same after a restart.
            misfire_grace_time: with `catch_up="none"`, how many seconds late a slot may still begin; 60 when not given.
            timeout: seconds that all attempts of a run may take together.
            retries: how often a failed attempt is repeated within a run, with exponential backoff and jitter.
            catch_up: what becomes of slots that were lost while nothing ran: `"last"` runs once, `"none"` not at all;
                the others are recorded as missed.
            isolation: `"thread"`, or `"process"`: a child process that is killed when its time is over.
            enabled: False, or a text that says why, switches the job off.
            needs: what the task needs from outside; `check` looks at it.
            title: the job's name for people.
            notes: Markdown, shown on the job's page.
            dependencies: ids of jobs; a run uses the newest success of each, and cannot begin before each has one.
            tags: by which the list of jobs is grouped.
            protect: ask before a run by hand.
            cleanup: called with a `deletion.PastRun` before that run's record is deleted.

        Raises:
            BadSetting: an argument, or a variable that overrides one, is malformed.
        """
        func = ref_to_obj(func) if isinstance(func, str) else func
        job_id = id or str(getattr(func, "__name__", "task"))
        if max_instances not in (undefined, 1):
            raise BadSetting(f"max_instances of job {job_id}", max_instances, "leave it out: runs never overlap")
        if coalesce is False:
            raise BadSetting(f"coalesce of job {job_id}", coalesce, "leave it out: lost slots run once, or not at all")
        built = self._trigger(trigger, trigger_args, job_id)
        late = misfire_grace_time if isinstance(misfire_grace_time, (int, float)) else LATE_SECONDS
        job = Job(
            job_id,
            func,
            tuple(args or ()),
            dict(kwargs or {}),
            built,
            schedules.describe(built),
            timeout,
            retries,
            catch_up,
            isolation,
            late,
            self._disabled_because(job_id, enabled if next_run_time is not None else "add_job(next_run_time=None)"),
            tuple(needs),
            title,
            notes,
            tuple(dependencies),
            tuple(tags),
            protect,
            cleanup,
        )
        check_options(job)
        if job_id in self.jobs and not replace_existing:
            raise ConflictingIdError(job_id)
        check_variable(job_id, self.jobs)
        self._own[job_id] = job
        self.jobs.replace({**self.jobs, job_id: job})
        moment = None if not job.enabled else next_run_time
        if job.enabled and next_run_time is not undefined:
            self._begin_at.add(job_id)
        return self._put(job, moment, name=name or job_id, jobstore=jobstore, executor=executor)

    def make_job(self, description: Mapping[str, Any]) -> Job:
        """The job that one entry of a jobs file describes; it is not on the clock before `replace_jobs`.

        `description` has `Job`'s fields by name; `schedule` is in the words of `schedules.parse`, `enabled` as for
        `add_job`.

        Raises:
            BadSetting: an option, or a variable that overrides it, is malformed.
        """
        given = {"args": (), "kwargs": {}, **description}
        job_id, enabled = given["id"], given.pop("enabled", True)
        trigger = self._trigger(given.pop("schedule", schedules.BY_HAND), {}, job_id)
        because = self._disabled_because(job_id, enabled or "enabled: false in the jobs file")
        job = Job(trigger=trigger, schedule=schedules.describe(trigger), disabled_because=because, **given)
        check_options(job)
        return job

    def replace_jobs(self, jobs: Mapping[str, Job]) -> None:
        """Take the jobs of a jobs file in place of those that it gave before; they also replace their namesakes.

        Raises:
            BadSetting: a variable for one of them is malformed, and nothing changes.

        While the clock goes, runs that go on end as they began, and slots are counted anew.
        """
        with self._changing:
            going = self.state == STATE_RUNNING
            if going:
                self.pause()
            wanted = {**self._own, **jobs}
            for job_id in {name for job in wanted.values() for name in job.dependencies} & wanted.keys():
                # What others build on keeps its results, whichever way it was made.
                if not wanted[job_id].keeps_result:
                    wanted[job_id] = replace(wanted[job_id], keeps_result=True)
            before = dict(self.jobs)
            try:
                self.jobs.replace(wanted)
            except BadSetting:
                if going:
                    self.resume()
                raise
            for job_id in before:
                if wanted.get(job_id) is not before[job_id] and self.get_job(job_id) is not None:
                    self.remove_job(job_id)
            for job in wanted.values():
                if before.get(job.id) is not job:
                    self._put(job, undefined if job.enabled else None)
            self._leapt = self._leapt or going
        if going:
            self._event.set()

    @property
    def own_jobs(self) -> Mapping[str, Job]:
        """The jobs of `add_job`, by id."""
        return self._own

    def _put(self, job: Job, moment: Any, name: str = "", jobstore: str = "default", executor: str = "default") -> Any:
        """Put a job on APScheduler's clock; `moment` is its `next_run_time`."""
        options: dict[str, Any] = {"id": job.id, "name": name or job.id, "misfire_grace_time": None, "coalesce": False}
        options |= {"max_instances": 1, "next_run_time": moment, "jobstore": jobstore, "executor": executor}
        return super().add_job(job.func, job.trigger, job.args, job.kwargs, replace_existing=True, **options)

    def start(self, runner: Runner) -> None:
        """Run the clock in this thread until SIGTERM or SIGINT, then stop the runs in order and return.

        While another daemon holds the state database this one stands by. A second signal ends the process at once.

        Raises:
            BadSetting: the heartbeat file cannot be written.
            Rejected: the state database says no at the start.
        """
        self.report_unknown_variables()
        heartbeat.require(self.settings.heartbeat_file)
        self._lanes.runner = runner
        runner.jobs = self.jobs
        self._dependents = Dependents(self.jobs, runner, self._lanes.enter)
        self._lanes.on_free(self._dependents.tell)
        self._keeper = Keeper(runner, daemon=True, on_leading=self._lead, on_standby=self._stand_by)
        previous = {number: signal.signal(number, self._on_signal) for number in (signal.SIGTERM, signal.SIGINT)}
        try:
            self._event = threading.Event()
            super(BlockingScheduler, self).start(paused=True)
            self._keeper.start()
            self._dependents.start()
            self._main_loop()
        finally:
            self._dependents.stop()
            self._stop_in_order(runner)
            for number, handler in previous.items():
                signal.signal(number, handler)
        if self._keeper.failure is not None:
            raise self._keeper.failure

    def ask_to_stop(self) -> None:
        """Let `start` return, after the runs have stopped in order; from any thread, or a signal."""
        self._stopping.set()
        self._event.set()

    @property
    def silent_seconds(self) -> float | None:
        """How long ago the clock last ticked, on a clock that nobody sets; None before the first tick."""
        return None if self.ticked_at is None else time.monotonic() - self._ticked

    @property
    def leading(self) -> bool:
        """Whether this is the one daemon of its state database whose clock goes."""
        return self._keeper is not None and self._keeper.leading

    def run_now(self, job: Job, dry_run: bool = False) -> int:
        """Begin a run that a person asks for; its id. From any thread, while the clock runs.

        Raises:
            Skip: the job is running already.
            JanitorError: the run could not begin; the error says why.
        """
        return self._lanes.run_now(job, dry_run)

    def report_unknown_variables(self) -> list[str]:
        """Warn of each variable that looks like one of a job and names none; their names."""
        unknown = self.unknown_variables()
        for problem in unknown.values():
            log.warning("%s", problem)
        return list(unknown)

    def unknown_variables(self) -> dict[str, str]:
        """Each variable that looks like one of a job and names none, with a sentence that says so."""
        return unknown_variables(self.settings.environ, self.jobs, self.settings.known)

    def _trigger(self, trigger: BaseTrigger | str | None, arguments: dict[str, Any], job_id: str) -> BaseTrigger:
        name = f"{variable(job_id)}_SCHEDULE"
        zone = self.settings.schedule_timezone
        if name in self.settings.environ:
            return schedules.parse(self.settings.environ[name], zone, name)
        if isinstance(trigger, str) and (" " in trigger or trigger == schedules.AFTER) and not arguments:
            return schedules.parse(trigger, zone, f"the schedule of job {job_id}")
        if trigger == "cron":
            arguments = {"timezone": zone} | arguments
        try:
            return self._create_trigger(trigger, schedules.align(trigger, arguments))
        except (TypeError, ValueError, LookupError) as exc:
            raise BadSetting(f"the schedule of job {job_id}", trigger, f"{exc}; {schedules.HELP}") from exc

    def _disabled_because(self, job_id: str, enabled: bool | str) -> str:
        name = f"{variable(job_id)}_ENABLED"
        value = self.settings.environ.get(name)
        if value is not None and not is_true(name, value):
            return f"{name}={value}"
        if isinstance(enabled, str):
            return enabled
        return "" if enabled else "add_job(enabled=False)"

    def _main_loop(self) -> None:
        wait: float | None = 0.0
        seen = time.time()
        while self.state != STATE_STOPPED and not self._stopping.is_set():
            self._event.wait(heartbeat.TICK_SECONDS if wait is None else min(heartbeat.TICK_SECONDS, wait))
            self._event.clear()
            if self._stopping.is_set():
                break
            leap, seen = timedelta(seconds=time.time() - seen), time.time()
            if abs(leap) > LEAP and self.state == STATE_RUNNING:
                self._leap(leap)
            if self._leapt:
                self._count_anew()
            wait = self._process_jobs()
            self._beat()

    def _beat(self) -> None:
        self._ticked, self.ticked_at = time.monotonic(), time.time()
        try:
            heartbeat.touch(self.settings.heartbeat_file)
        except OSError as exc:
            # `health` tells of its age; the runs go on.
            level = logging.DEBUG if self._beats_fail else logging.ERROR
            log.log(level, "the heartbeat file cannot be touched: %s", exc)
            self._beats_fail = True
        else:
            self._beats_fail = False

    def _leap(self, by: timedelta) -> None:
        """Hold the clock: APScheduler would wait until it is as late again, or list each slot that was leapt over."""
        log.warning("the time of day leapt by %+.0f s: the slots are counted anew", by.total_seconds())
        self._leapt = True
        self.pause()

    def _count_anew(self) -> None:
        """Let the clock go again, once the state database has told which slots have an outcome."""
        runner = self._lanes.runner
        if self.state == STATE_RUNNING or runner.daemon_fence is None:
            self._leapt = False  # the keeper has led, or will when it may, and that counts them too
            return
        try:
            runner.flush()
            self._lead(ASLEEP)
        except JanitorError as exc:
            log.warning("the slots cannot be counted yet, and no run begins: %s", exc)

    def _lead(self, why: str = "") -> None:
        """Account for the slots since the last one on record, and let the clock go."""
        with self._changing:
            self._account(why)
        if self._dependents is not None:
            self._dependents.tell()

    def _account(self, why: str) -> None:
        runner, now = self._lanes.runner, datetime.now(timezone.utc)
        known = {job.id: (job.schedule, job.enabled) for job in self.jobs.values()}
        fences = (runner.daemon_fence,) if runner.daemon_fence else ()
        with runner.state.begin(*fences) as connection:
            before = job_records.remember(connection, known, now)
            last = self._last_slots(connection, now)
        log.info("leading with %d jobs: %s", len(known), ", ".join(known))
        self._leapt = False
        for job in (job for job in self.jobs.values() if job.enabled):
            slot = self._owed(job, _accounted_until(job, before.get(job.id), last.get(job.id), now), now, why)
            # Another machine's clock may be a little ahead of this one's: its slots have their outcomes.
            self._set_next(job, max(now, last.get(job.id, now)))
            if slot is not None:
                self._lanes.enter(job, slot)
        if self.state != STATE_STOPPED:
            self.resume()

    def _last_slots(self, connection: Connection, now: datetime) -> dict[str, datetime]:
        """Each job's newest slot on record, once those are taken back that a clock far ahead of this one recorded."""
        last = run_records.last_slots(connection)
        ahead = [job for job in self.jobs.values() if last.get(job.id, now) > now + LEAP]
        for job in (job for job in ahead if not isinstance(job.trigger, DateTrigger)):
            log.warning("the clock was set back: the slots of %s after %s are still to come", job.id, now)
            run_records.take_back(connection, job.id, now, functools.partial(slots_between, job.trigger))
        job_records.enabled_by(connection, now + LEAP, now)
        return run_records.last_slots(connection) if ahead else last

    def _owed(self, job: Job, since: datetime | None, now: datetime, why: str = "") -> Slot | None:
        """The slot that runs now, where one is owed; the others that were lost are recorded."""
        if since is None:
            first = isinstance(job.trigger, IntervalTrigger) and job.catch_up == "last" and job.id not in self._begin_at
            at = next_slot(job.trigger, now - job.trigger.interval) if first else None
            return Slot(at) if at is not None and at <= now else None
        lost = slots_between(job.trigger, since, now)
        if lost is None:
            return None
        down = f"no daemon was running between {since:%Y-%m-%d %H:%M:%S} and {now:%Y-%m-%d %H:%M:%S} UTC"
        return self._lanes.account(job, lost, before_last(job.trigger, lost), now, why or down, run_records.CATCH_UP)

    def _set_next(self, job: Job, now: datetime) -> None:
        clock_job = self.get_job(job.id)
        if clock_job is None or clock_job.next_run_time is None:
            return
        if job.id in self._begin_at:
            # Whoever gave `next_run_time` said when the clock is to begin.
            self._begin_at.discard(job.id)
        elif not isinstance(job.trigger, DateTrigger):
            clock_job.modify(next_run_time=next_slot(job.trigger, now))

    def _stand_by(self) -> None:
        if self.state == STATE_RUNNING:
            self.pause()
        if self._keeper is not None and self._keeper.failure is not None:
            self.ask_to_stop()

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        if self._stopping.is_set():
            os._exit(128 + number)
        self.ask_to_stop()

    def _stop_in_order(self, runner: Runner) -> None:
        """Let no run begin, ask those that go on to stop, wait the grace, and record what was cut off."""
        closing = threading.Thread(target=self._lanes.close, name="closing", daemon=True)
        closing.start()
        closing.join(0.1)
        if self.state != STATE_STOPPED:
            self.shutdown(wait=False)
        live = list(runner.live.values())
        if live:
            names = ", ".join(one.job.id for one in live)
            log.info("stopping: waiting up to %g s for %s", self.settings.grace_seconds, names)
        for one in live:
            one.run.ask_to_stop(Interrupted("the daemon was asked to stop"))
        self._lanes.wait(self.settings.grace_seconds)
        recording = threading.Thread(target=self._record_end, args=(runner, closing), name="recording", daemon=True)
        recording.start()
        recording.join(RECORD_SECONDS)
        if recording.is_alive():
            log.error("the state database does not answer: the next start records what ended here as interrupted")
        log.info("stopped")

    def _record_end(self, runner: Runner, closing: threading.Thread) -> None:
        """Record what is not recorded yet, and give the leases back."""
        closing.join()
        runner.cut_off(
            f"it came to no safe point within {self.settings.grace_seconds:g} s of the daemon being asked to stop"
        )
        if self._keeper is not None:
            self._keeper.stop()
        runner.state.close()


def _accounted_until(job: Job, before: JobRecord | None, last_slot: datetime | None, now: datetime) -> datetime | None:
    """The moment after which a job's slots have no outcome yet; None for a job that is new."""
    if before is None:
        return last_slot
    if not before.enabled or before.schedule != job.schedule:
        # It owes nothing for the time during which it was switched off, or had another schedule.
        return now
    return max(last_slot or before.enabled_at, before.enabled_at)
