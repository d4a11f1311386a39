"""The verb `item`: show one item."""

import logging
import sys
from typing import Any

import click

from janitor.errors import BadSetting
from janitor.terminal import console
from janitor.verbs import chosen_items
from janitor.verbs.assembly import Assembly, as_json


@click.command("item")
@click.argument("item", metavar="PIPELINE/KEY")
@as_json
@click.pass_obj
def item(assembly: Assembly, item: str, as_json: bool) -> None:
    """Show one item: steps, attempts, results, replies."""
    from janitor.items.adding import plan_of
    from janitor.terminal import item_lines, item_listings

    assembly.log_to(sys.stderr, tracebacks=False, least=logging.WARNING)
    pipeline, key = chosen_items.item_named(item)
    with assembly.state.read() as connection:
        plan_of(connection, pipeline)
        found = item_listings.details(connection, pipeline, key)
    if found is None:
        raise BadSetting("the key", key, f"{pipeline} has no such item; `items {pipeline}` lists what it has")
    row = _without_secrets(assembly, found)
    if as_json:
        console.print_json(row)
    else:
        item_lines.print_item(row)


def _without_secrets(assembly: Assembly, row: dict[str, Any]) -> dict[str, Any]:
    """An item without secrets: those of the settings, and those that the jobs file takes from the environment."""
    free = ("args", "envelopes", "results")
    try:
        _ = assembly.scheduler
    except BadSetting as exc:
        said = f"(not shown, as the jobs cannot be loaded, and so not all secrets are known: {exc})"
        return row | dict.fromkeys(free[:2], said) | {"results": dict.fromkeys(row["results"], said)}
    return row | {name: assembly.mask.value(row[name]) for name in free}
