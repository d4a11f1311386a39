"""The verb `drop`: delete items."""

import logging
import sys
from typing import Any

import click

from janitor.errors import BadSetting
from janitor.verbs import chosen_items
from janitor.verbs.assembly import Assembly, actor


@click.command("drop")
@click.argument("target", metavar="PIPELINE[/KEY]")
@click.option("--note", default="", help="Why they are deleted.")
@chosen_items.filters_and_yes
@click.pass_obj
def drop(assembly: Assembly, /, target: str, note: str, yes: bool, **given: Any) -> None:
    """Delete items, with a note that says why.

    It is one item, or all that the options choose, with all that is kept of them. The cleanups of their steps are
    called before; an item whose cleanup fails stays.
    """
    from janitor.operations import items as operations

    assembly.log_to(sys.stderr, tracebacks=False, least=logging.WARNING)
    if not note.strip():
        raise BadSetting("--note", None, "say why these items may be deleted")
    found = chosen_items.chosen(assembly, target, given, yes, what="deleted")
    clean = operations.cleaner(assembly.state, assembly.scheduler.jobs, found.pipeline, assembly.settings)
    number = operations.drop(assembly.state, found, note, actor(), assembly.now(), clean)
    print(chosen_items.told(number, found, "deleted"))
