"""The verb `cursor`: show how far a job has read its feed, or set it."""

import logging
import sys

import click

from janitor.terminal import console
from janitor.verbs.assembly import Assembly, actor, as_json, now


@click.command("cursor")
@click.argument("job")
@click.option("--set", "value", metavar="VALUE", help="An id to go on after, or 'start' to begin anew.")
@as_json
@click.pass_obj
def cursor(assembly: Assembly, job: str, value: str | None, as_json: bool) -> None:
    """Show how far a job has read its feed, or set it."""
    from janitor.operations import cursor as job_cursor

    assembly.log_to(sys.stderr, tracebacks=False, least=logging.WARNING)
    wanted = assembly.job(job)
    if value is not None:
        job_cursor.move(assembly.state, wanted.id, value, actor(), now(), assembly.settings.lease_seconds)
    found = job_cursor.read(assembly.state, wanted.id)
    if as_json:
        console.print_json(found)
    else:
        print(job_cursor.sentence(wanted.id, found))
