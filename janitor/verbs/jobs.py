"""The verb `jobs`: list the jobs."""

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import click
from sqlalchemy import Connection, create_engine

from janitor.databases.places import place
from janitor.state.tables import metadata
from janitor.terminal import console, streams
from janitor.verbs.assembly import Assembly, as_json


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
    jobs = assembly.scheduler.jobs.values()
    with _reading(assembly) as connection:
        rows = listings.of_jobs(connection, jobs, assembly.unopened_state.clock.now())
    console.print_listing(rows, listings.JOBS, as_json=as_json, empty="There are no jobs.")


@contextmanager
def _reading(assembly: Assembly) -> Iterator[Connection]:
    """The state database to read; while there is none yet, empty tables in memory: jobs are listed all the same."""
    if assembly.unopened_state.version() is not None:
        with assembly.state.read() as connection:
            yield connection
        return
    where = place(assembly.settings.state_database_url)
    streams.complain(f"there is no state database at {where} yet, so nothing is known of past runs; `start` makes it")
    with create_engine("sqlite://").connect() as connection:
        metadata.create_all(connection)
        yield connection
