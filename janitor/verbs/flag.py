"""The verb `flag`: mark an item for people, or note what became of its flag."""

import logging
import sys

import click

from janitor.errors import BadSetting
from janitor.verbs import chosen_items
from janitor.verbs.assembly import Assembly, actor


@click.command("flag")
@click.argument("item", metavar="PIPELINE/KEY")
@click.argument("note", required=False)
@click.option("--resolve", is_flag=True, help="Nobody has to look any more.")
@click.pass_obj
def flag(assembly: Assembly, item: str, note: str | None, resolve: bool) -> None:
    """Mark an item for people, or resolve its flag.

    NOTE says what they are to look at; with --resolve it says what came of it.
    """
    from janitor.operations import items as operations

    assembly.log_to(sys.stderr, tracebacks=False, least=logging.WARNING)
    pipeline, key = chosen_items.item_named(item)
    if note is None or not note.strip():
        raise BadSetting("NOTE", note, "say what became of the flag" if resolve else "say what people are to look at")
    if not resolve:
        operations.flag(assembly.state, pipeline, key, note, actor(), assembly.now())
        print(f"{item} is flagged")
    elif operations.resolve(assembly.state, pipeline, key, note, actor(), assembly.now()):
        print(f"the flag of {item} is resolved")
    else:
        print(f"{item} has no flag that is open")
