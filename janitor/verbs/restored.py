"""The verb `restored`: tell that a backup of the state database was restored."""

import logging
import sys

import click

from janitor.verbs.assembly import Assembly, actor


@click.command("restored")
@click.option("--snapshot", is_flag=True, help="The daemon's memo was restored too, as with a snapshot of a volume.")
@click.pass_obj
def restored(assembly: Assembly, snapshot: bool) -> None:
    """Tell that a backup of the state database was restored.

    Restore it while no daemon runs, type this, and start the daemon. A daemon that finds its memo notices a restore by
    itself; then this is not needed. A snapshot of a whole volume or machine brings the memo back too: then no daemon
    notices, and --snapshot is needed.
    """
    from janitor.engine.memos import memos_of
    from janitor.engine.restoring import sentence
    from janitor.operations import restoring

    assembly.log_to(sys.stderr, tracebacks=False, least=logging.WARNING)
    print(sentence(restoring.tell(assembly.state, memos_of(assembly.settings), actor(), snapshot=snapshot)))
