"""The verb `retry`: let steps that failed be taken again."""

import logging
import sys
from typing import Any

import click

from janitor.verbs import chosen_items
from janitor.verbs.assembly import Assembly, actor


@click.command("retry")
@click.argument("target", metavar="PIPELINE[/KEY]")
@chosen_items.filters_and_yes
@click.pass_obj
def retry(assembly: Assembly, /, target: str, yes: bool, **given: Any) -> None:
    """Let steps of items that failed be taken again.

    They are taken now, with all their tries; so are steps that wait for another try. They are those of one item, or of
    all items that the options choose; with --step only that step. Without options all such steps of the pipeline are
    meant.
    """
    from janitor.operations import items as operations

    assembly.log_to(sys.stderr, tracebacks=False, least=logging.WARNING)
    what = "tried again"
    found = chosen_items.chosen(assembly, target, given, yes, what=what, unless=("failed", "later"))
    steps = None if given["step"] is None else [given["step"]]
    number = operations.retry(assembly.state, found, actor(), assembly.now(), steps)
    print(chosen_items.told(number, found, what))
