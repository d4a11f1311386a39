"""The verb `start`: run the daemon, and beside the clock each wing that its settings ask for."""

import logging
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

import click

from janitor import __version__, databases
from janitor.checks.required import require
from janitor.engine import heartbeat
from janitor.scheduler import Scheduler
from janitor.state import State, leases
from janitor.terminal.exit_codes import SUCCEEDED
from janitor.verbs.assembly import Assembly

if TYPE_CHECKING:
    from janitor.engine.runner import Runner
    from janitor.jobs_file.loading import Loaded

log = logging.getLogger("janitor")


@click.command("start")
@click.pass_obj
def start(assembly: Assembly) -> int:
    """Run the daemon until SIGTERM or Ctrl-C."""
    from janitor.engine.runner import Runner

    settings = assembly.settings
    run_log = assembly.log_to(sys.stdout, tracebacks=True)
    scheduler = assembly.scheduler
    require(settings, [job for job in scheduler.jobs.values() if job.enabled])
    heartbeat.require(settings.heartbeat_file)
    where = databases.place(settings.state_database_url)
    log.info("Janitor %s starts, its state is in %s", __version__, where)
    state = State(settings.state_database_url, settings.connect_timeout_seconds)
    runner = Runner(state, settings, leases.new_holder(), assembly.mask, run_log)
    with running(scheduler, runner, assembly.loaded):
        scheduler.start(runner)
    return SUCCEEDED


@contextmanager
def running(scheduler: Scheduler, runner: "Runner", loaded: "Loaded | None") -> Iterator[None]:
    """Start each wing that is switched on; all have stopped after the block, the last one first.

    `loaded` is what the jobs file held at the start, None without one.
    """
    with ExitStack() as stack:
        if runner.settings.sentry_dsn is not None:
            from janitor.notices import sentry

            stack.enter_context(sentry.reporting(runner))
        from janitor.notices import wing

        stack.enter_context(wing.running(runner, scheduler.jobs))
        if runner.settings.web_enabled:
            from janitor.web.desk import Desk
            from janitor.web.serving import server

            stack.enter_context(server.serving(Desk(scheduler, runner)))
        if loaded is not None and runner.settings.jobs_file is not None:
            from janitor.jobs_file.watching import watching

            stack.enter_context(watching(scheduler, runner.settings.jobs_file, loaded))
        yield
