"""The verb `quarantine`: list, retry or give up what cannot be delivered."""

import logging
import sys

import click

from janitor.errors import BadSetting
from janitor.terminal import console
from janitor.verbs.assembly import Assembly, actor, as_json


@click.command("quarantine")
@click.argument("job", required=False)
@click.option("--retry", metavar="KEY", help="Let the job's next run look at this row first ('all': at every row).")
@click.option("--drop", metavar="KEY", help="Give this row up; say why with --note.")
@click.option("--note", default="", help="Why a row is given up.")
@click.option("--dropped", is_flag=True, help="List what was given up.")
@as_json
@click.pass_obj
def quarantine(
    assembly: Assembly, job: str | None, retry: str | None, drop: str | None, note: str, dropped: bool, as_json: bool
) -> None:
    """List what cannot be delivered; retry it, or give it up.

    A quarantine has the name that the job's task gives it. It is found by the job, also by a job that is gone, and by
    its own name.
    """
    from janitor.operations import actions
    from janitor.terminal import listings

    assembly.log_to(sys.stderr, tracebacks=False, least=logging.WARNING)
    names = assembly.memories(job) if job else ()
    if retry is not None or drop is not None:
        if job is None:
            raise BadSetting("JOB", None, "name the job whose quarantined rows are meant")
        if retry is not None:
            count = actions.retry(
                assembly.state, job, None if retry == "all" else retry, actor(), assembly.now(), names
            )
            print(f"{count} quarantined rows of {job} are looked at first by its next run")
        if drop is not None:
            count = actions.drop(assembly.state, job, drop, note, actor(), assembly.now(), names)
            print(f"{count} quarantined rows of {job} are given up")
        return
    with assembly.state.read() as connection:
        rows = listings.of_quarantine(connection, names, assembly.scheduler.jobs, dropped=dropped)
    console.print_listing(rows, listings.QUARANTINE, as_json=as_json, empty="Nothing is in quarantine.")
