"""The verb `backup`: copy the state database while it is in use, and check the copy."""

import logging
import sys
from pathlib import Path

import click

from janitor.verbs.assembly import Assembly


@click.command("backup")
@click.argument("file", type=click.Path(path_type=Path))
@click.pass_obj
def backup(assembly: Assembly, file: Path) -> None:
    """Copy the state database into FILE, and check the copy.

    It is right while daemons run. FILE is a SQLite file, also if the state database is on a server; a file of that name
    is replaced once the copy is whole. The verb `restore` brings it back.
    """
    from janitor.state.backup import back_up

    assembly.log_to(sys.stderr, tracebacks=False, least=logging.WARNING)
    # The older schema of the release before will do: whoever upgrades backs up first.
    assembly.unopened_state.require(or_older=True)
    print(back_up(assembly.unopened_state, file))
