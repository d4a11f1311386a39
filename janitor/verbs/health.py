"""The verb `health`: tell whether the clock ticks."""

import logging
import sys

import click

from janitor.engine import heartbeat
from janitor.settings.paths import shown
from janitor.terminal import console
from janitor.terminal.exit_codes import FAILED, SUCCEEDED
from janitor.verbs.assembly import Assembly


@click.command("health")
@click.option("--jobs", "of_jobs", is_flag=True, help="Tell also whether a job is overdue.")
@click.pass_obj
def health(assembly: Assembly, of_jobs: bool) -> int:
    """Tell whether the daemon's clock ticks."""
    path = assembly.settings.heartbeat_file
    try:
        age = heartbeat.age(path)
    except OSError as exc:
        print(
            f"not healthy: the clock's heartbeat {shown(path)} cannot be read ({exc.strerror}); is the daemon running?"
        )
        return FAILED
    ticked = f"the clock ticked {age:.0f} s ago ({shown(path)})"
    if age > heartbeat.DEAD_SECONDS:
        print(f"not healthy: {ticked}, which should be every 5 s")
        return FAILED
    wrong = [*heartbeat.troubles(path), *(_overdue(assembly) if of_jobs else [])]
    for sentence in wrong:
        print(f"not healthy: {console.one_line(sentence)}")
    if not wrong:
        print(f"healthy: {ticked}" + (", and no job is overdue" if of_jobs else ""))
    return FAILED if wrong else SUCCEEDED


def _overdue(assembly: Assembly) -> list[str]:
    from janitor.engine import overdue

    assembly.log_to(sys.stderr, tracebacks=False, least=logging.WARNING)
    with assembly.state.read() as connection:
        late = overdue.of_jobs(connection, assembly.scheduler.jobs.values(), assembly.now())
    return [f"{job} is overdue since {at:%Y-%m-%d %H:%M:%S} UTC" for job, at in late.items()]
