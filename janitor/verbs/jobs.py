"""The verb `jobs`: list the jobs."""

import logging
import sys

import click

from janitor.terminal import console
from janitor.verbs.assembly import Assembly, as_json, now


@click.command("jobs")
@as_json
@click.option("--export", "as_file", is_flag=True, help="Print them as a jobs file.")
@click.pass_obj
def jobs(assembly: Assembly, as_json: bool, as_file: bool) -> None:
    """List the jobs: schedule, next run, last outcome."""
    from janitor.terminal import listings

    assembly.log_to(sys.stderr, tracebacks=False, least=logging.WARNING)
    if as_file:
        from janitor.jobs_file.export import export

        sys.stdout.writelines(export(assembly.scheduler.jobs.values(), assembly.settings))
        return
    with assembly.state.read() as connection:
        rows = listings.of_jobs(connection, assembly.scheduler.jobs.values(), now())
    console.print_listing(rows, listings.JOBS, as_json=as_json, empty="There are no jobs.")
