"""What the verbs share: settings, the clock with its jobs, the state database, each made when first asked for."""

import logging
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timezone
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from janitor import databases
from janitor.errors import BadSetting
from janitor.jobs import dependencies
from janitor.jobs.job import Job
from janitor.logs import set_up
from janitor.logs.mask import Mask, mask_for
from janitor.logs.run_log import RunLog
from janitor.scheduler import Scheduler
from janitor.settings.settings import Groups, Settings
from janitor.state import State

if TYPE_CHECKING:
    from janitor.jobs_file.loading import Loaded

Build = Callable[[Settings], Scheduler]

as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


@dataclass
class Assembly:
    """What the verbs share, each part made when it is first asked for."""

    build: Build
    of_tasks: Groups = ()
    mask: Mask = field(default_factory=Mask)
    jobs_file: Path | None = None

    @cached_property
    def settings(self) -> Settings:
        """The settings, from the environment and `.env`."""
        given = {} if self.jobs_file is None else {"JOBS_FILE": str(self.jobs_file)}
        settings = Settings.load({**os.environ, **given}, of_tasks=self.of_tasks)
        self.mask = mask_for(settings)
        databases.configure(databases.Limits(settings.statement_timeout_seconds, settings.connect_timeout_seconds))
        return settings

    @cached_property
    def own_scheduler(self) -> Scheduler:
        """The clock with the jobs of `run.py`, not started."""
        return self.build(self.settings)

    @cached_property
    def loaded(self) -> "Loaded | None":
        """The jobs file, where there is one.

        Raises:
            BadJobsFile: it has mistakes.
        """
        if self.settings.jobs_file is None:
            return None
        from janitor.jobs_file.loading import load

        return load(self.settings.jobs_file, self.own_scheduler)

    @cached_property
    def scheduler(self) -> Scheduler:
        """The clock with all its jobs, not started."""
        self.own_scheduler.replace_jobs(self.loaded.jobs if self.loaded is not None else {})
        dependencies.check(self.own_scheduler.jobs)
        return self.own_scheduler

    @cached_property
    def state(self) -> State:
        """The state database, at this release's schema."""
        state = State(self.settings.state_database_url, self.settings.connect_timeout_seconds)
        state.migrate()
        return state

    def job(self, name: str) -> Job:
        """The job of that name.

        Raises:
            BadSetting: there is none; the error lists those there are.
        """
        jobs = self.scheduler.jobs
        if name not in jobs:
            raise BadSetting("JOB", name, f"there is no such job; the jobs are {', '.join(jobs)}")
        return jobs[name]

    def log_to(self, stream: Any, *, tracebacks: bool, least: int | None = None) -> RunLog:
        """Set up logging for this process; `least` keeps out lesser levels, but not where LOG_LEVEL is DEBUG."""
        run_log = set_up.set_up(self.settings, self.mask, stream, tracebacks)
        if least is not None and self.settings.log_level != "DEBUG":
            logging.getLogger().setLevel(least)
        return run_log


def program() -> str:
    """How this program was called, for texts that name a command."""
    return "python run.py" if Path(sys.argv[0]).name == "run.py" else "janitor"


def actor() -> str:
    """Who types: the user's name, for the record of what people do."""
    from janitor.verbs.run_here import user_name

    return user_name()


def now() -> datetime:
    """This moment, in UTC."""
    return datetime.now(timezone.utc)
