"""The verb `pause`: let no further slot of a job run, or let them run again."""

import click

from janitor.verbs.assembly import Assembly, actor


@click.command("pause")
@click.argument("job")
@click.pass_obj
def pause(assembly: Assembly, job: str) -> None:
    """Let no further slot of a job run, until it is resumed."""
    from janitor.operations import actions

    done = actions.pause(assembly.state, assembly.job(job), actor(), assembly.now())
    print(f"{job} is paused" if done else f"{job} was paused already")


@click.command("resume")
@click.argument("job")
@click.pass_obj
def resume(assembly: Assembly, job: str) -> None:
    """Let a paused job's slots run again.

    A job that is gone can be resumed too: it runs when it comes back.
    """
    from janitor.operations import actions

    done = actions.resume(assembly.state, assembly.known(job), actor(), assembly.now())
    print(f"{job} is resumed" if done else f"{job} was not paused")
