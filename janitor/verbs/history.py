"""The verb `history`: list the newest runs and actions."""

import logging
import sys

import click

from janitor.terminal import console
from janitor.verbs.assembly import Assembly, as_json


@click.command("history")
@click.argument("job", required=False)
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True, help="How many lines.")
@as_json
@click.pass_obj
def history(assembly: Assembly, job: str | None, limit: int, as_json: bool) -> None:
    """List the newest runs, and what people did to jobs.

    A job that is gone has a history too.
    """
    from janitor.terminal import listings

    assembly.log_to(sys.stderr, tracebacks=False, least=logging.WARNING)
    name = assembly.known(job) if job else None
    with assembly.state.read() as connection:
        rows = listings.history(connection, name, limit)
    console.print_listing(rows, listings.HISTORY, as_json=as_json, empty="Nothing has run yet.")
