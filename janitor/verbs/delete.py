"""The verb `delete`: delete a run."""

import logging
import sys

import click

from janitor.verbs.assembly import Assembly, actor


@click.command("delete")
@click.argument("run", type=int)
@click.pass_obj
def delete(assembly: Assembly, run: int) -> None:
    """Delete a run and what it left behind, by its job's cleanup."""
    from janitor.operations import deletion

    assembly.log_to(sys.stderr, tracebacks=False, least=logging.ERROR)
    deletion.delete(assembly.state, assembly.scheduler.jobs, assembly.settings, run, actor(), assembly.now())
    print(f"run {run} is deleted")
