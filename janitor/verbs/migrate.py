"""The verb `migrate`: bring an older state database to this release's schema."""

import logging
import sys

import click

from janitor.verbs.assembly import Assembly, actor


@click.command("migrate")
@click.option("--check", is_flag=True, help="Only tell what is to be done, and how long it takes.")
@click.pass_obj
def migrate(assembly: Assembly, check: bool) -> None:
    """Bring an older state database to this release's schema.

    No daemon may lead meanwhile. The verb `start` does the same before its daemon leads. What is cut off goes on when
    it is typed again.
    """
    from janitor.operations import migrating

    assembly.log_to(sys.stderr, tracebacks=False, least=logging.INFO)
    if check:
        sentence, steps = migrating.plan(assembly.unopened_state)
        print("\n".join((sentence, *map(str, steps))))
        return
    print(migrating.migrate(assembly.unopened_state, actor(), assembly.settings.lease_seconds))
