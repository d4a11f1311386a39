"""The verb `cancel`: ask a run to stop."""

import click

from janitor.verbs.assembly import Assembly, actor


@click.command("cancel")
@click.argument("run", type=int)
@click.pass_obj
def cancel(assembly: Assembly, run: int) -> None:
    """Ask a run to stop, whichever process runs it."""
    from janitor.operations import actions

    done = actions.cancel(assembly.state, run, actor(), assembly.now())
    print(f"run {run} is asked to stop" if done else f"run {run} was asked to stop already")
