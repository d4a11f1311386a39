"""The verb `retry`: let steps that failed be taken again."""

import logging
import sys
from typing import Any

import click

from janitor.errors import BadSetting
from janitor.verbs import chosen_items
from janitor.verbs.assembly import Assembly, actor


@click.command("retry")
@click.argument("target", metavar="PIPELINE[/KEY]")
@chosen_items.filters_and_yes
@click.option("--replies", is_flag=True, help="Send replies now that wait for another try, or were given up.")
@click.pass_obj
def retry(assembly: Assembly, /, target: str, yes: bool, replies: bool, **given: Any) -> None:
    """Let steps of items that failed be taken again.

    They are taken now, with all their tries; so are steps that wait for another try. They are those of one item, or of
    all items that the options choose; with --step only that step. Without options all such steps of the pipeline are
    meant.

    With --replies, no step is taken again: what was to be told of an item, or of all items of the pipeline, is sent.
    """
    from janitor.operations import items as operations

    assembly.log_to(sys.stderr, tracebacks=False, least=logging.WARNING)
    if replies:
        print(_send_again(assembly, target, given))
        return
    what, step = "tried again", given["step"]
    steps = None if step is None else [step]
    if chosen_items.parts(target)[1] is not None and step is not None:
        chosen_items.check_step(assembly, target, step)
        given["step"] = None
    found = chosen_items.chosen(assembly, target, given, yes, what=what, unless=("failed", "later"))
    number = operations.retry(assembly.state, found, actor(), assembly.now(), steps)
    print(chosen_items.told(number, found, what))


def _send_again(assembly: Assembly, target: str, given: dict[str, Any]) -> str:
    """Let replies be sent; what was done, in a sentence.

    Raises:
        BadSetting: there is no such pipeline or item, or an option chooses among its items.
    """
    from janitor.operations import replies

    if any(value for value in given.values()):
        raise BadSetting("the items", target, "give PIPELINE or PIPELINE/KEY alone with --replies")
    pipeline, key = chosen_items.parts(target)
    if key is not None:
        pipeline, key = chosen_items.item_named(target)
    number = replies.send_again(assembly.state, pipeline, key, actor(), assembly.now())
    return f"{number:,} repl{'y' if number == 1 else 'ies'} of {target} {'is' if number == 1 else 'are'} sent again"
