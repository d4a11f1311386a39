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
    """List the jobs: schedule, next run, last outcome.

    A cron line is due at each time of the wall clock that matches it, in SCHEDULE_TIMEZONE. What spring's change of
    clocks leaves out runs once, at the first moment after the gap. What autumn repeats runs once. A line that names
    every hour, such as `*/15 * * * *`, runs at each real quarter or hour.
    """
    from janitor.terminal import listings

    assembly.log_to(sys.stderr, tracebacks=False, least=logging.WARNING)
    with assembly.state.read() as connection:
        rows = listings.of_jobs(connection, assembly.scheduler.jobs.values(), now())
    console.print_listing(rows, listings.JOBS, as_json=as_json, empty="There are no jobs.")
