"""The verb `reset`: let a step, and all behind it, be done again."""

import logging
import sys
from typing import Any

import click

from janitor.verbs import chosen_items
from janitor.verbs.assembly import Assembly, actor


@click.command("reset")
@click.argument("target", metavar="PIPELINE[/KEY]")
@click.argument("step_to_reset", metavar="STEP")
@chosen_items.filters_and_yes
@click.pass_obj
def reset(assembly: Assembly, /, target: str, step_to_reset: str, yes: bool, **given: Any) -> None:
    """Let a step of items, and all behind it, be done again.

    It is one item, or all that the options choose. What these steps have left is deleted.
    """
    from janitor.operations import items as operations

    assembly.log_to(sys.stderr, tracebacks=False, least=logging.WARNING)
    chosen_items.check_step(assembly, target, step_to_reset)
    what = f"done anew from {step_to_reset} on"
    found = chosen_items.chosen(assembly, target, given, yes, what=what)
    number = operations.reset(assembly.state, found, step_to_reset, actor(), assembly.now())
    print(chosen_items.told(number, found, what))
