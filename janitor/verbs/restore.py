"""The verb `restore`: bring a backup of the state database back."""

import logging
import sys
from pathlib import Path

import click

from janitor.verbs.assembly import Assembly, actor


@click.command("restore")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.pass_obj
def restore(assembly: Assembly, file: Path) -> None:
    """Make the state database from FILE, a backup.

    There must be no state database: stop the daemon, and move its file away, or drop the tables of its server. FILE
    itself stays as it is.
    """
    from janitor.engine.memos import memos_of
    from janitor.engine.restoring import sentence
    from janitor.operations import restoring

    assembly.log_to(sys.stderr, tracebacks=False, least=logging.WARNING)
    state = assembly.unopened_state
    print(sentence(restoring.restore(state, file, memos_of(assembly.settings), actor())))
