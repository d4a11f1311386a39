"""The verb `reprocess`: let all steps of items be done again."""

import logging
import sys
from typing import Any

import click

from janitor.verbs import chosen_items
from janitor.verbs.assembly import Assembly, actor


@click.command("reprocess")
@click.argument("target", metavar="PIPELINE[/KEY]")
@chosen_items.filters_and_yes
@click.pass_obj
def reprocess(assembly: Assembly, /, target: str, yes: bool, **given: Any) -> None:
    """Let all steps of items be done again.

    It is one item, or all that the options choose. What the steps have left is deleted.
    """
    from janitor.operations import items as operations

    assembly.log_to(sys.stderr, tracebacks=False, least=logging.WARNING)
    what = "done anew, all steps"
    found = chosen_items.chosen(assembly, target, given, yes, what=what)
    print(chosen_items.told(operations.reprocess(assembly.state, found, actor(), assembly.now()), found, what))
