"""The verb `jobs`: list the jobs."""

import logging
import sys

import click

from janitor.terminal import console
from janitor.verbs.assembly import Assembly, as_json, now


@click.command("jobs")
@as_json
@click.pass_obj
def jobs(assembly: Assembly, as_json: bool) -> None:
    """List the jobs: schedule, next run, last outcome."""
    from janitor.terminal import listings

    assembly.log_to(sys.stderr, tracebacks=False, least=logging.WARNING)
    with assembly.state.read() as connection:
        rows = listings.of_jobs(connection, assembly.scheduler.jobs.values(), now())
    console.print_listing(rows, listings.JOBS, as_json=as_json, empty="There are no jobs.")
