"""What the verbs share: settings, the clock with its jobs, the state database; each is made when first asked for."""

import logging
import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import click

from janitor import databases
from janitor.errors import BadSetting, JanitorError
from janitor.jobs import dependencies
from janitor.jobs.job import Job
from janitor.logs import set_up
from janitor.logs.mask import Mask, mask_for
from janitor.logs.run_log import RunLog
from janitor.runs.bounds import listed_near
from janitor.scheduler import Scheduler
from janitor.settings.settings import Groups, Settings
from janitor.state import State, actions, job_records
from janitor.verbs.front_door import Build, FrontDoor, command, front_door
from janitor.verbs.places import lines_of_parts_told
from janitor.verbs.wing import Wing

as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


@dataclass(eq=False)
class Assembly:
    """What the verbs share.

    `build` makes the clock with the jobs of a front door, and `of_tasks` are the groups of settings that its tasks
    declare; without `build`, the front door is looked for. `given` are variables that options of the command line give;
    they go before the environment. `app` is the front door that the command line names. `typed` are the options that
    a command of the same jobs must have, with their values.
    """

    build: Build | None
    of_tasks: Groups = ()
    wings: Sequence[Wing] = ()
    given: dict[str, str] = field(default_factory=dict)
    app: str | None = None
    typed: dict[str, str] = field(default_factory=dict)

    @cached_property
    def front_door(self) -> FrontDoor:
        """Where the jobs come from.

        Raises:
            BadSetting: it cannot be imported.
        """
        return front_door(self.app, self.build, self.of_tasks)

    @property
    def command(self) -> str:
        """How this program was called, without a verb, for texts that name a command."""
        return command(self.typed)

    @cached_property
    def settings(self) -> Settings:
        """The settings, from the environment and `.env`; databases keep to their limits from now on."""
        settings = Settings.load({**os.environ, **self.given}, of_tasks=self.front_door.of_tasks)
        limits = databases.Limits(settings.statement_timeout_seconds, settings.connect_timeout_seconds)
        databases.configure(limits, settings.login)
        return settings

    @property
    def mask(self) -> Mask:
        """Hides the secrets of the settings; hides nothing before the settings were read."""
        return self._mask if "settings" in vars(self) else Mask()

    @cached_property
    def _mask(self) -> Mask:
        return mask_for(self.settings)

    @cached_property
    def own_scheduler(self) -> Scheduler:
        """The clock with the jobs of the front door, not started.

        Raises:
            BadSetting: the front door makes no clock, or one of its jobs cannot be.
        """
        with lines_of_parts_told():
            made: object = self.front_door.build(self.settings)
        if not isinstance(made, Scheduler):
            raise BadSetting(
                "the front door", self.front_door.name, f"build gave {made!r}: let it return the Scheduler"
            )
        return made

    @cached_property
    def scheduler(self) -> Scheduler:
        """The clock with all its jobs, those of the wings too; not started.

        Raises:
            BadSetting: a job cannot be made, or depends on a job that is not there.
        """
        scheduler = self.own_scheduler
        of_wings = [wing.jobs(self.settings, scheduler) for wing in self.wings]
        scheduler.replace_jobs({name: job for jobs in of_wings for name, job in jobs.items()})
        dependencies.check(scheduler.jobs)
        return scheduler

    @cached_property
    def state(self) -> State:
        """The state database, at this release's schema.

        Raises:
            Rejected: there is none; only `start` makes one, so that a mistyped path is noticed.
        """
        state = self.unopened_state
        state.require()
        with state.read() as connection:
            state.now(connection)
        return state

    @cached_property
    def unopened_state(self) -> State:
        """The state database, whether it is there or not; nothing is opened yet."""
        return State(self.settings.state_database_url, self.settings.connect_timeout_seconds, self.settings.login)

    def now(self) -> datetime:
        """This moment by the state database's clock, by which all that it holds is dated."""
        return self.state.clock.now()

    def job(self, name: str) -> Job:
        """The job of that name.

        Raises:
            BadSetting: there is no such job, or it is gone, or has another id now; the error tells that, or all jobs.
        """
        jobs = self.scheduler.jobs
        if name in jobs:
            return jobs[name]
        if self._is_gone(name):
            said = f"this job is gone, and `history` has what is kept of it; the jobs are {listed_near(name, jobs)}"
            raise BadSetting("JOB", name, said)
        if (newer := self._new_id(name)) is not None:
            raise BadSetting("JOB", name, f"this job was renamed: it is called {newer} now")
        raise BadSetting("JOB", name, f"there is no such job; the jobs are {listed_near(name, jobs)}")

    def known(self, name: str) -> str:
        """The id of a job; also of a job that is gone, if anything is kept of it.

        Raises:
            BadSetting: nothing is known of such a job; the error lists all jobs.
        """
        return name if name not in self.scheduler.jobs and self._is_gone(name) else self.job(name).id

    def memories(self, name: str) -> Sequence[str]:
        """The names under which a job's task remembers things: `name` may be the job's, gone or not, or a task's.

        Raises:
            BadSetting: there is neither such a job, nor anything kept under such a name; the error lists all jobs.
        """
        from janitor.state import memories

        job = self.scheduler.jobs.get(name)
        if job is None and not self._is_there():
            return (self.job(name).id,)
        with self.state.read() as connection:
            found = memories.names_of(connection, name, () if job is None else job.memories)
            if job is None and len(found) == 1 and not memories.is_in_use(connection, name):
                return (self.known(name),)
        return found

    def _is_gone(self, name: str) -> bool:
        """Whether something is kept of a job that is not there; False too if the state database is away."""
        found = False
        with suppress(JanitorError):
            if self._is_there():
                with self.state.read() as connection:
                    found = job_records.is_on_record(connection, name)
        return found

    def _new_id(self, name: str) -> str | None:
        """The id that a job of that name has now; None if it was not renamed, or the state database is away."""
        found = None
        with suppress(JanitorError):
            if self._is_there():
                with self.state.read() as connection:
                    found = actions.new_id(connection, name)
        return found

    def _is_there(self) -> bool:
        """Whether there is a state database: a mistyped name makes none."""
        url = self.settings.state_database_url
        return databases.family(url) != "sqlite" or Path(url.database or "").exists()

    def log_to(self, stream: Any, *, tracebacks: bool, least: int | None = None) -> RunLog:
        """Set up logging for this process.

        `least` is the least level that is logged, of those of the `logging` module; None means that of LOG_LEVEL. With
        LOG_LEVEL=DEBUG everything is logged.
        """
        run_log = set_up.set_up(self.settings, self.mask, stream, tracebacks)
        if least is not None and self.settings.log_level != "DEBUG":
            logging.getLogger().setLevel(least)
        return run_log


def actor() -> str:
    """Who types: the user's name, for the record of what people do."""
    from janitor.verbs.run_here import user_name

    return user_name()
