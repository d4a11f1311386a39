"""The clock and `add_job`: APScheduler's BlockingScheduler, whose jobs become recorded runs."""

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from typing import Any

from apscheduler.job import Job as ClockJob
from apscheduler.triggers.base import BaseTrigger
from apscheduler.util import undefined

from janitor import databases
from janitor.engine.allocator import bound_arenas, collect_seldom
from janitor.engine.clock import Clock
from janitor.engine.daemon import Daemon
from janitor.engine.leaving import Leaving
from janitor.engine.overrides import disabled_because, trigger_of, with_work_trigger
from janitor.engine.runner import Runner
from janitor.engine.stretches import REPLACED
from janitor.engine.surroundings import kept
from janitor.errors import BadSetting
from janitor.items import pipelines
from janitor.items.ends import Inbox, Reply, Store
from janitor.items.pipeline import Pipeline
from janitor.items.step import Step
from janitor.jobs import arguments, dependencies, schedules
from janitor.jobs.arguments import JobExists
from janitor.jobs.feed_names import feed_names
from janitor.jobs.job import CatchUp, Isolation, Job, Jobs, check_options
from janitor.jobs.variables import check_variable, unknown_variables
from janitor.logs import set_up
from janitor.logs.mask import Mask, mask_for
from janitor.logs.run_log import RunLog
from janitor.needs import Need
from janitor.settings.settings import Settings
from janitor.state import State, holders

__all__ = ["Scheduler"]

log = logging.getLogger(__name__)


class Scheduler(Clock):
    """A BlockingScheduler that remembers: every slot ends in exactly one recorded outcome.

    `add_job` takes what APScheduler's takes, and more:

    - `id`: the job's name everywhere; the function's name when None. `<ID>_ENABLED` and `<ID>_SCHEDULE` override
      from the environment.
    - `trigger`: APScheduler's, or `every 5m`, `cron 0 2 * * *`, `02:00`, `@daily`, `at 2027-01-01T00:00Z`, `after`
      (its dependencies) or `by hand`. An interval without a start date has its slots at whole multiples of it since
      1970, so that they are the same after a restart.
    - `misfire_grace_time`: with `catch_up="none"`, how many seconds late a slot may still begin; 60 when not given.
    - `timeout`: seconds that all attempts of a run may take together.
    - `retries`: how often a failed attempt is repeated within a run; the pauses between grow, by chance a little.
    - `catch_up`: what becomes of slots that were lost while nothing ran. With `"last"` the last slot runs, with
      `"none"` no slot does; the others are recorded as missed.
    - `isolation`: `"thread"`, or `"process"`: a child process that is killed when its time is over.
    - `own_thread`: True lets its runs wait for no other job's, however many run at the same time.
    - `enabled`: False, or a text that says why, switches the job off.
    - `needs`: what the task needs from outside; `check` looks at it.
    - `title`: the job's name for people.
    - `notes`: Markdown, shown on the job's page.
    - `dependencies`: ids of jobs; a run uses the newest success of each, and cannot begin before each has one.
    - `tags`: the list of jobs is grouped by them.
    - `protect`: ask before a run by hand.
    - `cleanup`: called with a `runs.PastRun` before that run's record is deleted.
    """

    def __init__(self, settings: Settings) -> None:
        """Prepare a clock without jobs; nothing is opened or started."""
        super().__init__()
        self.settings = settings
        self.jobs = Jobs()
        self._own: dict[str, Job] = {}
        self._places: dict[str, str] = {}
        self._begin_as_told: set[str] = set()

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
        own_thread: bool = False,
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
        """Put a task on a schedule: APScheduler's `add_job`, with the keywords that this class tells of.

        Raises:
            BadSetting: an argument, or a variable that overrides it, is malformed; it tells the line of the call.
        """
        with self._mistakes_of_call() as place:
            func = arguments.function(func)
            job_id = arguments.job_id(id, func)
            arguments.check_clock_options(job_id, max_instances, coalesce, jobstore, executor)
            job = Job(
                *(job_id, func, args or (), kwargs or {}),
                trigger=trigger_of(self, self.settings, job_id, trigger, trigger_args),
                timeout=timeout,
                retries=retries,
                catch_up=catch_up,
                isolation=isolation,
                own_thread=own_thread,
                late_seconds=arguments.late_seconds(job_id, misfire_grace_time),
                disabled_because=disabled_because(self.settings, job_id, enabled, next_run_time),
                needs=needs,
                title=title,
                notes=notes,
                dependencies=dependencies,
                tags=tags,
                protect=protect,
                cleanup=cleanup,
            )
            return self._take(arguments.read(job), next_run_time, replace_existing, place, str(name or ""))

    def add_pipeline(
        self,
        name: str,
        steps: Sequence[Step],
        *,
        statuses: Mapping[str, str] | None = None,
        inboxes: Sequence[Inbox] = (),
        replies: Sequence[Reply] = (),
        store: Store | None = None,
        schema: Any = None,
        task_name: str = "",
        **options: Any,
    ) -> Pipeline:
        """Add a pipeline: each of its steps, inboxes and ways of replying becomes a job, `name.step` for example.

        `options` are the other fields of `items.Pipeline`, such as `on_duplicate` and `keep_days`.

        Raises:
            BadSetting: the pipeline cannot work; all its mistakes are told at once, with the line of the call.
        """
        with self._mistakes_of_call() as place:
            made = pipelines.made(
                name,
                steps,
                statuses=statuses or {},
                inboxes=inboxes,
                replies=replies,
                store=store,
                schema=schema,
                task_name=task_name,
                **options,
            )
            self._check_pipeline(name)
            jobs = self.jobs_of_pipeline(made)
            for job in jobs.values():
                arguments.check_call(job)
                self._take(arguments.read(job), undefined, False, place, "")
            return made

    def _check_pipeline(self, name: str) -> None:
        """Refuse a second pipeline of a name: items have the steps of one alone."""
        for job in self.jobs.values():
            if job.work is not None and job.work.pipeline == name:
                place = self._places.get(job.id, "the jobs file")
                raise JobExists("pipeline", name, f"give another name: {place} has a pipeline of this name")

    def jobs_of_pipeline(self, pipeline: Pipeline) -> dict[str, Job]:
        """The jobs of a pipeline, by id; they are not on the clock.

        Raises:
            BadSetting: an option, or a variable that overrides it, is malformed.
        """
        found = {job.id: self._of_pipeline(job) for job in pipelines.jobs(pipeline, self.settings)}
        return found

    def _of_pipeline(self, job: Job) -> Job:
        """A job of a pipeline, with what its variables say."""
        trigger = with_work_trigger(self.settings, job.id, str(job.trigger))
        off = job.disabled_because
        because = disabled_because(self.settings, job.id, not off if off == pipelines.OFF else off or True, off=off)
        job = replace(job, trigger=trigger, disabled_because=because)
        check_options(job)
        return job

    def make_job(self, description: Mapping[str, Any]) -> Job:
        """The job that an entry of a jobs file describes; it is not on the clock before `replace_jobs`.

        `description` has `Job`'s fields by name; `schedule` is in the words of `schedules.parse`, `enabled` as for
        `add_job`.

        Raises:
            BadSetting: an option, or a variable that overrides it, is malformed.
        """
        given = {"args": (), "kwargs": {}, **description}
        job_id, enabled = given["id"], given.pop("enabled", True)
        trigger = trigger_of(self, self.settings, job_id, given.pop("schedule", schedules.BY_HAND), {})
        because = disabled_because(self.settings, job_id, enabled, off="enabled: false in the jobs file")
        memories = feed_names(given.get("needs", ()), self.settings)
        job = Job(trigger=trigger, disabled_because=because, memories=memories, **given)
        check_options(job)
        self._check_id(job_id, ())
        return job

    def _check_id(self, job_id: str, jobs: Iterable[str]) -> None:
        check_variable(job_id, jobs, self.settings.known, Settings.variables())

    def replace_jobs(self, jobs: Mapping[str, Job]) -> None:
        """Replace the jobs of a jobs file by its new jobs. A job of `add_job` gives way to a job of the same id.

        While the clock goes, runs that go on end as they began, and slots are counted anew.

        Raises:
            BadSetting: a variable for one of the jobs is malformed, and nothing changes.
        """
        with self.changing:
            held = self.hold(REPLACED)
            try:
                self._change_to(with_results({**self._own, **jobs}))
            except BadSetting:
                if held:
                    self.go()
                raise
        if held:
            self.wakeup()

    @property
    def own_jobs(self) -> Mapping[str, Job]:
        """The jobs of `add_job`, by id."""
        return self._own

    def start(self, paused: bool = False) -> None:
        """Run the clock in this thread until SIGTERM or SIGINT, then stop the runs in order and return.

        While another daemon holds the state database this one stands by. A second signal ends the process at once.
        At the end of the program, threads that tasks left hold it up until the grace is over, and no longer.

        Raises:
            BadSetting: the heartbeat file cannot be written; or `paused` is True.
            Rejected: the state database says no at the start.
        """
        if paused:
            raise BadSetting("paused", paused, "leave it out: the clock waits until this daemon leads")
        settings = self.settings
        # As the verb `start` does: jobs that others depend on keep their results.
        self.replace_jobs({name: job for name, job in self.jobs.items() if self._own.get(name) is not job})
        dependencies.check(self.jobs)
        limits = databases.Limits(settings.statement_timeout_seconds, settings.connect_timeout_seconds)
        databases.configure(limits, settings.login)
        mask = mask_for(settings)
        bound_arenas()
        collect_seldom()
        daemon = self.daemon(self.runner(mask, set_up.set_up(settings, mask)))
        with Leaving(settings.grace_seconds) as leaving:
            daemon.run(on_stop=leaving.begin)

    def runner(self, mask: Mask, run_log: RunLog) -> Runner:
        """What makes each run of these jobs, as a new holder of leases; the state database is not opened yet.

        From now on this process is there for the jobs: what runs print is in their logs, and logging stays as it is.
        """
        state = State(self.settings.state_database_url, self.settings.connect_timeout_seconds, self.settings.login)
        return Runner(
            state,
            self.settings,
            holders.new_holder(self.settings.lease_seconds),
            mask,
            run_log,
            surroundings=kept(mask, run_log),
        )

    def daemon(self, runner: Runner) -> Daemon:
        """This clock with all that it needs to run its jobs, not started; `start` makes it and runs it."""
        self.report_unknown_variables()
        return Daemon(self, self.jobs, runner, self._begin_as_told)

    def report_unknown_variables(self) -> list[str]:
        """Warn of each variable that looks like a job's and names no job; the names of all such variables."""
        unknown = self.unknown_variables()
        for problem in unknown.values():
            log.warning("%s", problem)
        return list(unknown)

    def unknown_variables(self) -> dict[str, str]:
        """Each variable that looks like a job's and names no job, with a sentence that says so."""
        return unknown_variables(self.settings.environ, self.jobs, self.settings.known)

    @contextmanager
    def _mistakes_of_call(self) -> Iterator[str]:
        """Tell mistakes in a block with the file and line of the call of `add_job`, which it gives."""
        place = arguments.place_of_call(__name__, "contextlib")
        with arguments.mistakes_told_with(place, but=self.settings.environ):
            yield place

    def _take(self, job: Job, moment: Any, replace_existing: bool, place: str, name: str) -> Any:
        """Refuse a job that cannot work, or take it among the jobs of `add_job`; `moment` is its `next_run_time`."""
        check_options(job)
        arguments.check_call(job)
        job = replace(job, memories=feed_names(job.needs, self.settings))
        moment = arguments.moment(job.id, moment, self.settings.schedule_timezone)
        if job.id in self.jobs and not replace_existing:
            other = self._places.get(job.id, "the jobs file")
            raise JobExists("id", job.id, f"give another id: {other} has a job of this id")
        self._check_id(job.id, self.jobs)
        self._own[job.id], self._places[job.id] = job, place
        # `{**self.jobs}` would ask for each job by name, in Python.
        self.jobs.replace({**dict(self.jobs.items()), job.id: job})
        if moment is None:  # the job is off; or a variable has switched it on, and it runs as its schedule says
            moment = undefined
        if job.enabled and moment is not undefined:
            self._begin_as_told.add(job.id)
        return self._put(job, moment if job.enabled else None, name)

    def _change_to(self, wanted: Mapping[str, Job]) -> None:
        before = dict(self.jobs)
        self.jobs.replace(wanted)
        told = dict(self._moments_told(before, wanted))
        for job_id in before:
            if wanted.get(job_id) is not before[job_id] and self.get_job(job_id) is not None:
                self.remove_job(job_id)
        for job in wanted.values():
            if before.get(job.id) is not job:
                self._put(job, told.get(job.id, undefined) if job.enabled else None)

    def _moments_told(self, before: Mapping[str, Job], wanted: Mapping[str, Job]) -> Iterator[tuple[str, Any]]:
        """The `next_run_time` that was given for each job whose schedule stays; for others it is forgotten."""
        for job_id in list(self._begin_as_told):
            if job_id in wanted and wanted[job_id].trigger is before[job_id].trigger:
                yield job_id, getattr(self.get_job(job_id), "next_run_time", undefined)
            else:
                self._begin_as_told.discard(job_id)

    def _put(self, job: Job, moment: Any, name: str = "") -> Any:
        """Put a job on APScheduler's clock; `moment` is its `next_run_time`."""
        return super().add_job(
            job.func,
            job.trigger,
            job.args,
            job.kwargs,
            id=job.id,
            name=name or job.id,
            misfire_grace_time=None,
            coalesce=False,
            max_instances=1,
            next_run_time=moment,
            replace_existing=True,
        )


def with_results(jobs: Mapping[str, Job]) -> dict[str, Job]:
    """The jobs; each job that another depends on keeps its result."""
    needed = {name for job in jobs.values() for name in job.dependencies}
    return {
        job.id: job if job.id not in needed or job.keeps_result == "always" else replace(job, keeps_result="always")
        for job in jobs.values()
    }
