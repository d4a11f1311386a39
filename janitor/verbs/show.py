"""The verb `show`: show one run."""

import logging
import sys
from typing import Any

import click

from janitor.errors import BadSetting
from janitor.terminal import console
from janitor.verbs.assembly import Assembly, as_json


@click.command("show")
@click.argument("run", type=int)
@click.option("--follow", is_flag=True, help="Show its log and progress as they come, until it ends.")
@as_json
@click.pass_obj
def show(assembly: Assembly, run: int, follow: bool, as_json: bool) -> None:
    """Show one run: outcome, counts, log, traceback."""
    from janitor.terminal import follow_run, listings

    assembly.log_to(sys.stderr, tracebacks=False, least=logging.WARNING)
    if follow and not as_json:
        follow_run.follow(assembly.state, run)
    with assembly.state.read() as connection:
        row = listings.details(connection, run)
    if row is None:
        raise BadSetting("RUN", run, f"there is no such run; `{assembly.command} history` lists all runs")
    if row["result"] is not None:
        row["result"] = _without_secrets(assembly, row["result"])
    if as_json:
        console.print_json(row)
    else:
        console.print_run(row)


def _without_secrets(assembly: Assembly, result: Any) -> Any:
    """A result without secrets: those of the settings, and those that the jobs file takes from the environment."""
    try:
        _ = assembly.scheduler
    except BadSetting as exc:
        return f"(not shown, as the jobs cannot be loaded, and so not all secrets are known: {exc})"
    return assembly.mask.value(result)
