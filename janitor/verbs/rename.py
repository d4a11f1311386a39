"""The verb `rename`: give what is kept of a job that is gone to another job."""

import logging
import sys

import click

from janitor.verbs.assembly import Assembly, actor


@click.command("rename")
@click.argument("old")
@click.argument("new")
@click.pass_obj
def rename(assembly: Assembly, old: str, new: str) -> None:
    """Give the history, pause and notices of job OLD to job NEW.

    First change the id where the job is made, and restart the daemon: then OLD is gone. A rename that is cut off is
    finished by the same command.
    """
    from janitor.operations import renaming

    assembly.log_to(sys.stderr, tracebacks=False, least=logging.WARNING)
    jobs, lease_seconds = assembly.scheduler.jobs, assembly.settings.lease_seconds
    count = renaming.rename(assembly.state, jobs, old, new, actor(), assembly.now(), lease_seconds)
    print(f"{new} has what was kept of {old}: {count} run{'s' if count != 1 else ''}")
