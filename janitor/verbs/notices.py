"""The verb `notices`: what is wrong, how the channels work, and a try of each."""

import logging
import sys

import click

from janitor.state.shared_clock import host_time
from janitor.terminal import console
from janitor.terminal.exit_codes import FAILED, SUCCEEDED
from janitor.verbs.assembly import Assembly, as_json


@click.group("notices", invoke_without_command=True)
@as_json
@click.pass_context
def notices(context: click.Context, as_json: bool) -> None:
    """List what is wrong, and the channels; 'test' tries them."""
    if context.invoked_subcommand is not None:
        return
    from janitor.notices import listing

    assembly: Assembly = context.obj
    assembly.log_to(sys.stderr, tracebacks=False, least=logging.WARNING)
    with assembly.state.read() as connection:
        found, channels = listing.open_notices(connection), listing.channel_states(connection, assembly.settings)
    if as_json:
        console.print_json({"notices": found, "channels": channels})
        return
    console.print_listing(found, listing.NOTICE_COLUMNS, as_json=False, empty="All is as it should be.")
    print()
    console.print_listing(channels, listing.CHANNEL_COLUMNS, as_json=False, empty="No channel is set: nobody is told.")


@notices.command("test")
@click.pass_obj
def test_notices(assembly: Assembly) -> int:
    """Send a notice through each channel, and tell what came of it."""
    from janitor.notices import trying

    assembly.log_to(sys.stderr, tracebacks=False, least=logging.WARNING)
    failed = False
    for verdict, said in trying.try_all(assembly.settings, assembly.scheduler.jobs, host_time()):
        failed = failed or verdict != "ok"
        print(f"{verdict:<6}  {assembly.mask(console.one_line(said))}", flush=True)
    return FAILED if failed else SUCCEEDED
