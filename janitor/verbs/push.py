"""The verb `push`: add items to a pipeline by hand."""

import logging
import sys
from array import array
from collections.abc import Iterable, Iterator
from typing import BinaryIO

import click

from janitor.terminal.exit_codes import FAILED, SUCCEEDED
from janitor.terminal.streams import complain
from janitor.verbs import chosen_items, payloads
from janitor.verbs.assembly import Assembly, actor

MOST_TOLD = 20
"""So many messages that became no items are told one by one."""


@click.command("push")
@click.argument("pipeline")
@click.argument("file", type=click.File("rb"))
@click.option(
    "--inbox", metavar="NAME", help="Read each message as this inbox would; what is no item is a dead letter."
)
@click.pass_obj
def push(assembly: Assembly, pipeline: str, file: BinaryIO, inbox: str | None) -> int:
    """Add items to a pipeline, from a file or a pipe.

    Each is an object in JSON, with its key under `key`; all of it is the item's arguments. FILE has one object, or
    several, or one a line, or a list of them; `-` reads a pipe. What cannot be an item is told, and all others are
    added; the exit code is 1 then.
    """
    from janitor.items.adding import keep_new_plans
    from janitor.operations import item_messages

    assembly.log_to(sys.stderr, tracebacks=False, least=logging.ERROR)
    lines = array("Q")
    bodies = _bodies(payloads.messages(file, is_lines=str(getattr(file, "name", "")).endswith(".jsonl")), lines)
    state, now = assembly.state, assembly.now()
    if inbox is None:
        here = chosen_items.pipeline_here(assembly, pipeline)
        keep_new_plans(state, () if here is None else (here,))
        pushed = item_messages.push(state, pipeline, bodies, actor(), now, here)
        if here is None:
            complain(f"run.py and the jobs file have no pipeline {pipeline}: its items wait until one of them has it")
    else:
        whole = chosen_items.require_pipeline(assembly, pipeline)
        pushed = item_messages.push_into(state, whole, inbox, bodies, actor(), now, assembly.settings)
    for number, reason in pushed.refused[:MOST_TOLD]:
        complain(assembly.mask(f"message {number}, in line {lines[number - 1]}, is no item: {reason}"))
    numbers = {"added": pushed.new, "there already": pushed.known, "refused": len(pushed.refused)}
    print(
        f"items of {pipeline}: "
        + ", ".join(f"{number:,} {what}" for what, number in numbers.items() if number or what == "added")
    )
    return FAILED if pushed.refused else SUCCEEDED


def _bodies(found: Iterable[payloads.Payload], lines: "array[int]") -> Iterator[bytes]:
    """The messages; the line of each is noted."""
    for one in found:
        lines.append(one.line)
        yield one.body
