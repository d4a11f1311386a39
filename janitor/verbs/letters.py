"""The verb `letters`: list dead letters, drop them, or take their messages once more."""

import logging
import sys
from collections.abc import Sequence

import click

from janitor.errors import BadSetting
from janitor.terminal import console
from janitor.terminal.exit_codes import FAILED, SUCCEEDED
from janitor.verbs import chosen_items
from janitor.verbs.assembly import Assembly, actor, as_json


@click.command("letters")
@click.argument("pipeline", required=False)
@click.option("--drop", metavar="ID", type=int, multiple=True, help="Let this dead letter count no more.")
@click.option("--again", metavar="ID", type=int, help="Take its message once more, if it is whole.")
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True, help="How many letters.")
@as_json
@click.pass_obj
def letters(
    assembly: Assembly, pipeline: str | None, drop: Sequence[int], again: int | None, limit: int, as_json: bool
) -> int:
    """List dead letters, drop them, or take them again.

    A dead letter is a message that could not become an item; each has the reason, and the newest comes first. A letter
    that is dropped, or taken again, is listed no more. Taken again it is read as its inbox reads now.
    """
    from janitor.items.adding import plan_of
    from janitor.operations import item_messages
    from janitor.terminal import item_listings

    assembly.log_to(sys.stderr, tracebacks=False, least=logging.ERROR)
    if drop:
        print(f"{item_messages.drop_letters(assembly.state, drop, actor(), assembly.now())} dead letters are dropped")
    if again is not None:
        return _take_again(assembly, pipeline, again)
    if not drop:
        with assembly.state.read() as connection:
            if pipeline is not None:
                plan_of(connection, pipeline)
            rows = item_listings.of_letters(connection, pipeline, limit)
        console.print_listing(rows, item_listings.LETTERS, as_json=as_json, empty="There are no dead letters.")
    return SUCCEEDED


def _take_again(assembly: Assembly, pipeline: str | None, letter: int) -> int:
    from janitor.operations import item_messages

    if pipeline is None:
        raise BadSetting("PIPELINE", None, "name the pipeline whose dead letter is meant")
    whole = chosen_items.require_pipeline(assembly, pipeline)
    verdict = item_messages.again(assembly.state, whole, letter, actor(), assembly.now())
    if verdict.reason is None:
        print(f"the message of dead letter {letter} is an item of {pipeline} now")
        return SUCCEEDED
    print(f"the message of dead letter {letter} is a dead letter again: {assembly.mask(verdict.reason)}")
    return FAILED
