"""The verb `run`: run a job by hand; on demand, jobs that it builds on run before it, and dependents after it."""

import logging
import sys
from collections.abc import Sequence
from functools import partial

import click

from janitor.checks.required import require
from janitor.databases.places import place
from janitor.errors import BadSetting
from janitor.jobs.dependencies import NotReady
from janitor.jobs.job import Job
from janitor.runs import Outcome
from janitor.state import holders, identity
from janitor.terminal import streams
from janitor.terminal.exit_codes import OF_OUTCOME
from janitor.verbs.assembly import Assembly


@click.command("run")
@click.argument("job")
@click.option("--dry-run", is_flag=True, help="Only count what would be done.")
@click.option("--with-dependencies", is_flag=True, help="Before it, run each outdated job that it depends on.")
@click.option("--rerun-dependents", is_flag=True, help="After it, run each job that depends on it.")
@click.option("--pin", "pins", metavar="JOB=RUN", multiple=True, help="Use this run of a dependency.")
@click.option("--yes-run", "confirmed", metavar="JOB", multiple=True, help="Do not ask before running this job.")
@click.option("--new-state", is_flag=True, help="Make the state database if there is none.")
@click.pass_obj
def run(
    assembly: Assembly,
    job: str,
    dry_run: bool,
    with_dependencies: bool,
    rerun_dependents: bool,
    pins: Sequence[str],
    confirmed: Sequence[str],
    new_state: bool,
) -> int:
    """Run a job now, recorded; the exit code tells its outcome."""
    from janitor.engine.leaving import Leaving
    from janitor.engine.runner import Runner
    from janitor.engine.surroundings import kept
    from janitor.verbs import run_here, run_plan

    wanted, pinned = assembly.job(job), run_plan.pinned(pins)
    if new_state and assembly.unopened_state.version() is None and assembly.unopened_state.migrate():
        _make_known(assembly)
    state, jobs = assembly.state, assembly.scheduler.jobs
    plan = run_plan.plan(
        *(state, jobs, wanted),
        with_dependencies=with_dependencies,
        rerun_dependents=rerun_dependents,
        pins=pinned,
    )
    require(assembly.settings, plan.jobs)
    for planned in plan.jobs:
        _confirm(planned, confirmed)
    run_plan.keep_plans(state, jobs, dry_run)
    run_log = assembly.log_to(sys.stderr, tracebacks=False)
    run_here.keep_quiet(logging.getLogger().handlers[0])
    holder, surroundings = holders.new_holder(assembly.settings.lease_seconds), kept(assembly.mask, run_log, echo=True)
    runner = Runner(assembly.state, assembly.settings, holder, assembly.mask, run_log, surroundings=surroundings)

    def run_planned(planned: Job) -> Outcome:
        report = run_here.run(
            runner,
            planned,
            stopper=stopper,
            dry_run=dry_run,
            show_command=f"{assembly.command} show",
            pins=pinned if planned is wanted else {},
        )
        streams.report(report.text)
        return report.outcome

    with Leaving(assembly.settings.grace_seconds, ends_soon=True) as leaving:
        try:
            with run_here.Stopper(runner, partial(leaving.begin, OF_OUTCOME[Outcome.INTERRUPTED])) as stopper:
                outcome, left = run_plan.carry_out(plan, assembly.state, run_planned, lambda: stopper.outcome)
        except NotReady as exc:
            raise NotReady(f"{exc}, or give --with-dependencies") from exc
        if left:
            why = "because of that" if stopper.outcome is None else "since the process was asked to stop"
            streams.report(f"not run {why}: {', '.join(planned.id for planned in left)}")
        if outcome is not Outcome.SUCCEEDED:
            # Threads of a run that went well may end their work, as in any program.
            leaving.begin(OF_OUTCOME[outcome])
    return OF_OUTCOME[outcome]


def _make_known(assembly: Assembly) -> None:
    """Tell that a state database was made, and let no daemon take it for a backup of the one that was there before."""
    streams.complain(f"a new state database was made at {place(assembly.settings.state_database_url)}")
    with assembly.state.begin() as connection:
        identity.ensure(connection, assembly.state.now(connection))


def _confirm(job: Job, confirmed: Sequence[str]) -> None:
    """Ask before a run of a protected job."""
    if not job.protect or job.id in confirmed:
        return
    if not sys.stdin.isatty():
        raise BadSetting("--yes-run", None, f"{job.id} is protected: give --yes-run {job.id} to run it")
    typed = click.prompt(f"{job.id} is protected. Type its id to run it", default="", show_default=False, err=True)
    if typed.strip() != job.id:
        raise BadSetting("the id", typed, f"{job.id} is protected, and was not run: type {job.id} to run it")
