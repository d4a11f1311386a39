"""The verb `items`: count the items of all pipelines, or list those of one."""

import logging
import sys
from typing import Any

import click

from janitor.errors import BadSetting
from janitor.terminal import console
from janitor.verbs import chosen_items
from janitor.verbs.assembly import Assembly, as_json


@click.command("items")
@click.argument("pipeline", required=False)
@chosen_items.filters
@click.option("--limit", type=click.IntRange(1, 100_000), default=50, show_default=True, help="How many items.")
@as_json
@click.pass_obj
def items(assembly: Assembly, /, pipeline: str | None, limit: int, as_json: bool, **given: Any) -> None:
    """List the items of a pipeline, or count those of all.

    With PIPELINE its items are listed, the newest first. Of items that are done or failed the last that ended comes
    first; of those in a state of a step the last in the order in which they are taken, or came there. Without PIPELINE
    all items are counted, by step and status.
    """
    from janitor.items.adding import check_step, plan_of
    from janitor.state.item_search import Wanted
    from janitor.terminal import item_listings

    assembly.log_to(sys.stderr, tracebacks=False, least=logging.WARNING)
    with assembly.state.read() as connection:
        if pipeline is None:
            if not Wanted("", **given).is_whole:
                raise BadSetting("PIPELINE", None, "name the pipeline whose items are meant")
            columns, rows = item_listings.PIPELINES, item_listings.of_pipelines(connection)
        else:
            plan = plan_of(connection, pipeline)
            if given["step"] is not None:
                check_step(plan, given["step"])
            columns, rows = item_listings.ITEMS, item_listings.of_items(connection, Wanted(pipeline, **given), limit)
    if pipeline is not None and not as_json:
        rows = [item_listings.in_words(row) for row in rows]
    console.print_listing(rows, columns, as_json=as_json, empty="There are no items.")
