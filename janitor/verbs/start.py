"""The verb `start`: run the daemon, and beside the clock each wing that its settings ask for."""

import logging
import signal
import sys
from contextlib import ExitStack

import click

from janitor import __version__, databases
from janitor.checks.required import require
from janitor.engine import heartbeat
from janitor.engine.allocator import bound_arenas, collect_seldom
from janitor.engine.leaving import Leaving
from janitor.runs.forks import signals_taken
from janitor.terminal.exit_codes import SUCCEEDED
from janitor.verbs.assembly import Assembly

log = logging.getLogger("janitor")


@click.command("start")
@click.pass_obj
def start(assembly: Assembly) -> int:
    """Run the daemon until SIGTERM or Ctrl-C."""
    # Before anything takes time: whoever asks for the jobs file to be read again must not end the daemon.
    with signals_taken({signal.SIGHUP: lambda number, frame: None}):
        return _start(assembly)


def _start(assembly: Assembly) -> int:
    settings = assembly.settings
    run_log = assembly.log_to(sys.stdout, tracebacks=True)
    scheduler = assembly.scheduler
    require(settings, [job for job in scheduler.jobs.values() if job.enabled])
    heartbeat.require(settings.heartbeat_file)
    log.info("Janitor %s starts, its state is in %s", __version__, databases.place(settings.state_database_url))
    log.info("the front door is %s", assembly.front_door.name)
    bound_arenas()
    collect_seldom()
    daemon = scheduler.daemon(scheduler.runner(assembly.mask, run_log))
    # All wings have stopped after the block, the last one first.
    with Leaving(settings.grace_seconds, ends_soon=True) as leaving, ExitStack() as wings:
        for wing in assembly.wings:
            wings.enter_context(wing.beside(scheduler, daemon))
        daemon.run(on_stop=leaving.begin)
    return SUCCEEDED
