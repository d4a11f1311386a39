"""The verb `listen`: print what is published."""

import logging
import sys
from collections.abc import Iterable, Iterator

import click

from janitor.errors import JanitorError
from janitor.jobs.job import Job
from janitor.needs import ExchangeNeed
from janitor.settings.settings import Settings
from janitor.terminal.console import json_line
from janitor.terminal.exit_codes import SUCCEEDED
from janitor.verbs.assembly import Assembly


@click.command("listen")
@click.option("--limit", type=click.IntRange(1), help="End after so many rows.")
@click.pass_obj
def listen(assembly: Assembly, limit: int | None) -> int:
    """Print what is published from now on, decoded, as JSON lines."""
    assembly.log_to(sys.stderr, tracebacks=False, least=logging.WARNING)
    try:
        for line in lines(assembly.settings, assembly.scheduler.jobs.values(), limit):
            print(line, flush=True)
    except KeyboardInterrupt:
        pass
    return SUCCEEDED


def lines(settings: Settings, jobs: Iterable[Job], limit: int | None = None) -> Iterator[str]:
    """Each row that jobs publish to their exchange from now on, as a line of JSON.

    Raises:
        JanitorError: no job publishes messages with a known schema.
        BadSetting, Unavailable, Rejected: the broker cannot be reached, or the exchange does not exist.
    """
    # Pika takes a sixth of a second to import.
    from janitor.publisher.avro import Schema
    from janitor.publisher.listener import listen as messages

    needs = [need for job in jobs for need in job.needs if isinstance(need, ExchangeNeed) and need.schema is not None]
    if not needs:
        raise JanitorError("no job publishes messages whose schema is known")
    need, (package, path) = needs[0], needs[0].schema or ("", "")
    exchange, schema = str(settings.value(need.setting)), Schema.load(package, path)
    for item in messages(settings, schema, exchange, binding_key=need.binding_key, limit=limit):
        yield json_line(item)
