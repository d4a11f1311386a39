"""The verb `cursor`: show how far a job has read its feed, or set it."""

import logging
import sys
from collections.abc import Sequence

import click

from janitor.errors import BadSetting
from janitor.terminal import console
from janitor.verbs.assembly import Assembly, actor, as_json


@click.command("cursor")
@click.argument("job")
@click.option("--set", "value", metavar="VALUE", help="An id to go on after, or 'start' to begin anew.")
@as_json
@click.pass_obj
def cursor(assembly: Assembly, job: str, value: str | None, as_json: bool) -> None:
    """Show how far a job has read its feed, or set it.

    A cursor has the name that the job's task gives it. It is found by the job, also by a job that is gone, and by its
    own name.
    """
    from janitor.operations import cursor as job_cursor

    assembly.log_to(sys.stderr, tracebacks=False, least=logging.WARNING)
    name = _cursor_of(job, job_cursor.names(assembly.state, assembly.memories(job)))
    if value is not None:
        job_cursor.move(assembly.state, job, value, actor(), assembly.now(), assembly.settings.lease_seconds, name)
    found = job_cursor.read(assembly.state, job, name)
    if as_json:
        console.print_json(found)
    else:
        print(job_cursor.sentence(job, found))


def _cursor_of(job: str, names: Sequence[str]) -> str:
    """The name of the job's cursor: its own id before the first run.

    Raises:
        BadSetting: its task has several cursors.
    """
    if len(names) > 1 and job not in names:
        raise BadSetting("JOB", job, f"its task has the cursors {', '.join(names)}: give the name of one")
    return job if job in names or not names else names[0]
