"""The verbs: each reads what was typed, lets other modules do the work, and prints what came of it."""

import logging
import os
import sys
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from janitor import __version__, databases
from janitor.checks.required import require
from janitor.engine import heartbeat
from janitor.errors import BadSetting, JanitorError
from janitor.jobs import dependencies
from janitor.jobs.job import Job
from janitor.logs import set_up
from janitor.logs.mask import Mask, mask_for
from janitor.logs.run_log import RunLog
from janitor.scheduler import Scheduler
from janitor.settings.settings import Settings
from janitor.state import State, leases
from janitor.terminal import console
from janitor.terminal.exit_codes import BAD_INPUT, CANCELLED, FAILED, SUCCEEDED
from janitor.verbs import wings
from janitor.verbs.notices import notices
from janitor.verbs.password import password
from janitor.verbs.run import run
from janitor.verbs.validate import validate

if TYPE_CHECKING:
    from janitor.jobs_file.loading import Loaded

log = logging.getLogger("janitor")

Build = Callable[[Settings], Scheduler]


@dataclass
class House:
    """What the verbs share, each part made when it is first asked for."""

    build: Build
    mask: Mask = field(default_factory=Mask)
    jobs_file: Path | None = None

    @cached_property
    def settings(self) -> Settings:
        """The settings, from the environment and `.env`."""
        given = {} if self.jobs_file is None else {"JOBS_FILE": str(self.jobs_file)}
        settings = Settings.load({**os.environ, **given})
        self.mask = mask_for(settings)
        databases.configure(databases.Limits(settings.statement_timeout_seconds, settings.connect_timeout_seconds))
        return settings

    @cached_property
    def own_scheduler(self) -> Scheduler:
        """The clock with the jobs of `run.py`, not started."""
        return self.build(self.settings)

    @cached_property
    def loaded(self) -> "Loaded | None":
        """The jobs file, where there is one.

        Raises:
            BadJobsFile: it has mistakes.
        """
        if self.settings.jobs_file is None:
            return None
        from janitor.jobs_file.loading import load

        return load(self.settings.jobs_file, self.own_scheduler)

    @cached_property
    def scheduler(self) -> Scheduler:
        """The clock with all its jobs, not started."""
        self.own_scheduler.replace_jobs(self.loaded.jobs if self.loaded is not None else {})
        dependencies.check(self.own_scheduler.jobs)
        return self.own_scheduler

    @cached_property
    def state(self) -> State:
        """The state database, at this release's schema."""
        state = State(self.settings.state_database_url, self.settings.connect_timeout_seconds)
        state.migrate()
        return state

    def job(self, name: str) -> Job:
        """The job of that name.

        Raises:
            BadSetting: there is none; the error lists those there are.
        """
        jobs = self.scheduler.jobs
        if name not in jobs:
            raise BadSetting("JOB", name, f"there is no such job; the jobs are {', '.join(jobs)}")
        return jobs[name]

    def log_to(self, stream: Any, *, tracebacks: bool, least: int | None = None) -> RunLog:
        """Set up logging for this process; `least` keeps out lesser levels, but not where LOG_LEVEL is DEBUG."""
        run_log = set_up.set_up(self.settings, self.mask, stream, tracebacks)
        if least is not None and self.settings.log_level != "DEBUG":
            logging.getLogger().setLevel(least)
        return run_log


def main(build: Build, arguments: Sequence[str] | None = None) -> int:
    """Do what the command line asks for; the exit code. What goes wrong is one line on stderr."""
    house = House(build)
    try:
        code = verbs.main(arguments, prog_name=program(), obj=house, standalone_mode=False)
        sys.stdout.flush()
        return code if isinstance(code, int) else SUCCEEDED
    except click.Abort:
        return CANCELLED
    except click.ClickException as exc:
        exc.show()
        return BAD_INPUT
    except BadSetting as exc:
        mistakes = getattr(exc, "mistakes", ())
        for mistake in mistakes:
            print(house.mask(console.one_line(mistake)), file=sys.stderr)
        _complain(house, f"{exc.name} is {str(exc.value)!r}: it has the mistakes above" if mistakes else str(exc))
        return BAD_INPUT
    except JanitorError as exc:
        _complain(house, str(exc))
        return FAILED
    except BrokenPipeError:
        # Whoever read us has had enough; Python would complain when it flushes stdout at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return SUCCEEDED
    except Exception as exc:
        if logging.getLogger().isEnabledFor(logging.DEBUG):
            sys.stderr.write(house.mask(traceback.format_exc()))
        hint = "set LOG_LEVEL=DEBUG to see where"
        _complain(house, f"an error that was not expected: {type(exc).__name__}: {exc}; {hint}")
        return FAILED


def program() -> str:
    """How this program was called, for texts that name a command."""
    return "python run.py" if Path(sys.argv[0]).name == "run.py" else "janitor"


def _complain(house: House, sentence: str) -> None:
    print(f"janitor: {house.mask(console.one_line(sentence))}", file=sys.stderr)


as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


@click.group(invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="janitor", message="%(prog)s %(version)s")
@click.option("--jobs", "jobs_file", type=click.Path(path_type=Path), help="A jobs file, in place of JOBS_FILE.")
@click.pass_context
def verbs(context: click.Context, jobs_file: Path | None) -> int | None:
    """Scheduled data work: a clock, plain task functions and a memory of every run. Without a verb: start."""
    context.obj.jobs_file = jobs_file
    return context.invoke(start) if context.invoked_subcommand is None else None


@verbs.command()
@click.pass_obj
def start(house: House) -> int:
    """Run the daemon until SIGTERM or Ctrl-C."""
    from janitor.engine.runner import Runner

    settings = house.settings
    run_log = house.log_to(sys.stdout, tracebacks=True)
    scheduler = house.scheduler
    require(settings, [job for job in scheduler.jobs.values() if job.enabled])
    heartbeat.require(settings.heartbeat_file)
    where = databases.place(settings.state_database_url)
    log.info("Janitor %s starts, its state is in %s", __version__, where)
    state = State(settings.state_database_url, settings.connect_timeout_seconds)
    runner = Runner(state, settings, leases.new_holder(), house.mask, run_log)
    with wings.running(scheduler, runner, house.loaded):
        scheduler.start(runner)
    return SUCCEEDED


@verbs.command("jobs")
@as_json
@click.option("--export", "as_file", is_flag=True, help="Print them as a jobs file.")
@click.pass_obj
def jobs(house: House, as_json: bool, as_file: bool) -> None:
    """List the jobs: schedule, next run, last outcome."""
    from janitor.terminal import listings

    house.log_to(sys.stderr, tracebacks=False, least=logging.WARNING)
    if as_file:
        from janitor.jobs_file.export import export

        sys.stdout.writelines(export(house.scheduler.jobs.values(), house.settings))
        return
    with house.state.read() as connection:
        rows = listings.of_jobs(connection, house.scheduler.jobs.values(), _now())
    console.print_listing(rows, listings.JOBS, as_json=as_json, empty="There are no jobs.")


@verbs.command()
@click.argument("job", required=False)
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True, help="How many lines.")
@as_json
@click.pass_obj
def history(house: House, job: str | None, limit: int, as_json: bool) -> None:
    """List the newest runs, and what people did to jobs."""
    from janitor.terminal import listings

    house.log_to(sys.stderr, tracebacks=False, least=logging.WARNING)
    name = house.job(job).id if job else None
    with house.state.read() as connection:
        rows = listings.history(connection, name, limit)
    console.print_listing(rows, listings.HISTORY, as_json=as_json, empty="Nothing has run yet.")


@verbs.command()
@click.argument("run", type=int)
@click.option("--follow", is_flag=True, help="Show its log and progress as they come, until it ends.")
@as_json
@click.pass_obj
def show(house: House, run: int, follow: bool, as_json: bool) -> None:
    """Show one run: outcome, counts, log, traceback."""
    from janitor.terminal import follow_run, listings

    house.log_to(sys.stderr, tracebacks=False, least=logging.WARNING)
    if follow and not as_json:
        follow_run.follow(house.state, run)
    with house.state.read() as connection:
        row = listings.details(connection, run)
    if row is None:
        raise BadSetting("RUN", run, f"there is no such run; `{program()} history` lists those there are")
    if as_json:
        console.print_json(row)
    else:
        console.print_run(row)


@verbs.command()
@click.argument("run", type=int)
@click.pass_obj
def delete(house: House, run: int) -> None:
    """Delete a run and what it left behind, by its job's cleanup."""
    from janitor.operations import deletion

    house.log_to(sys.stderr, tracebacks=False, least=logging.ERROR)
    deletion.delete(house.state, house.scheduler.jobs, house.settings, run, _actor(), _now())
    print(f"run {run} is deleted")


@verbs.command()
@click.argument("job")
@click.pass_obj
def pause(house: House, job: str) -> None:
    """Let no further slot of a job run, until it is resumed."""
    from janitor.operations import actions

    done = actions.pause(house.state, house.job(job), _actor(), _now())
    print(f"{job} is paused" if done else f"{job} was paused already")


@verbs.command()
@click.argument("job")
@click.pass_obj
def resume(house: House, job: str) -> None:
    """Let a paused job's slots run again."""
    from janitor.operations import actions

    done = actions.resume(house.state, house.job(job), _actor(), _now())
    print(f"{job} is resumed" if done else f"{job} was not paused")


@verbs.command()
@click.argument("run", type=int)
@click.pass_obj
def cancel(house: House, run: int) -> None:
    """Ask a run to stop, whichever process runs it."""
    from janitor.operations import actions

    done = actions.cancel(house.state, run, _actor(), _now())
    print(f"run {run} is asked to stop" if done else f"run {run} was asked to stop already")


@verbs.command()
@click.option("--all", "everything", is_flag=True, help="Also what jobs that are switched off need.")
@click.option("--declare", is_flag=True, help="Make the exchange where it is missing.")
@as_json
@click.pass_obj
def check(house: House, everything: bool, declare: bool, as_json: bool) -> int:
    """Check settings, connections, tables, grants, the exchange."""
    from janitor.checks.everything import findings
    from janitor.notices import wing

    house.log_to(sys.stderr, tracebacks=False, least=logging.CRITICAL)
    wing.check(house.settings, house.scheduler.jobs)
    jobs, unknown = house.scheduler.jobs.values(), house.scheduler.unknown_variables().values()
    found = []
    for finding in findings(house.settings, jobs, unknown, everything=everything, declare=declare):
        found.append({"verdict": finding.verdict.lower(), "text": house.mask(console.one_line(finding.text))})
        if not as_json:
            print(f"{finding.verdict:<5}  {found[-1]['text']}", flush=True)
    if as_json:
        console.print_json(found)
    return FAILED if any(one["verdict"] == "wrong" for one in found) else SUCCEEDED


@verbs.command()
@click.argument("job", required=False)
@click.option("--retry", metavar="KEY", help="Let the job's next run look at this row first ('all': at every row).")
@click.option("--drop", metavar="KEY", help="Give this row up; say why with --note.")
@click.option("--note", default="", help="Why a row is given up.")
@click.option("--dropped", is_flag=True, help="List what was given up.")
@as_json
@click.pass_obj
def quarantine(
    house: House, job: str | None, retry: str | None, drop: str | None, note: str, dropped: bool, as_json: bool
) -> None:
    """List what cannot be delivered; retry it, or give it up."""
    from janitor.operations import actions
    from janitor.terminal import listings

    house.log_to(sys.stderr, tracebacks=False, least=logging.WARNING)
    name = house.job(job).id if job else None
    if retry is not None or drop is not None:
        if name is None:
            raise BadSetting("JOB", None, "name the job whose quarantined rows are meant")
        if retry is not None:
            count = actions.retry(house.state, name, None if retry == "all" else retry, _actor(), _now())
            print(f"{count} quarantined rows of {name} are looked at first by its next run")
        if drop is not None:
            count = actions.drop(house.state, name, drop, note, _actor(), _now())
            print(f"{count} quarantined rows of {name} are given up")
        return
    with house.state.read() as connection:
        rows = listings.of_quarantine(connection, name, dropped=dropped)
    console.print_listing(rows, listings.QUARANTINE, as_json=as_json, empty="Nothing is in quarantine.")


@verbs.command()
@click.argument("job")
@click.option("--set", "value", metavar="VALUE", help="An id to go on after, or 'start' to begin anew.")
@as_json
@click.pass_obj
def cursor(house: House, job: str, value: str | None, as_json: bool) -> None:
    """Show how far a job has read its feed, or set it."""
    from janitor.operations import cursor as job_cursor

    house.log_to(sys.stderr, tracebacks=False, least=logging.WARNING)
    wanted = house.job(job)
    if value is not None:
        job_cursor.move(house.state, wanted.id, value, _actor(), _now(), house.settings.lease_seconds)
    found = job_cursor.read(house.state, wanted.id)
    if as_json:
        console.print_json(found)
    else:
        print(job_cursor.in_words(wanted.id, found))


@verbs.command()
@click.option("--limit", type=click.IntRange(1), help="End after so many rows.")
@click.pass_obj
def listen(house: House, limit: int | None) -> int:
    """Print what is published from now on, decoded, as JSON lines."""
    from janitor.verbs import published

    house.log_to(sys.stderr, tracebacks=False, least=logging.WARNING)
    try:
        for line in published.lines(house.settings, house.scheduler.jobs.values(), limit):
            print(line, flush=True)
    except KeyboardInterrupt:
        pass
    return SUCCEEDED


verbs.add_command(run)
verbs.add_command(notices)
verbs.add_command(password)
verbs.add_command(validate)


@verbs.command()
@click.option("--jobs", "of_jobs", is_flag=True, help="Also whether a job is overdue.")
@click.pass_obj
def health(house: House, of_jobs: bool) -> int:
    """Tell whether the daemon's clock ticks."""
    path = house.settings.heartbeat_file
    try:
        age = heartbeat.age(path)
    except OSError as exc:
        print(f"not healthy: the clock's heartbeat {path} cannot be read ({exc.strerror}); is the daemon running?")
        return FAILED
    ticked = f"the clock ticked {age:.0f} s ago ({path})"
    if age > heartbeat.DEAD_SECONDS:
        print(f"not healthy: {ticked}, which should be every 5 s")
        return FAILED
    late = _overdue(house) if of_jobs else []
    for sentence in late:
        print(f"not healthy: {sentence}")
    if not late:
        print(f"healthy: {ticked}" + (", and no job is overdue" if of_jobs else ""))
    return FAILED if late else SUCCEEDED


def _overdue(house: House) -> list[str]:
    from janitor.engine import overdue

    house.log_to(sys.stderr, tracebacks=False, least=logging.WARNING)
    with house.state.read() as connection:
        late = overdue.of_jobs(connection, house.scheduler.jobs.values(), _now())
    return [f"{job} is overdue since {at:%Y-%m-%d %H:%M:%S} UTC" for job, at in late.items()]


def _actor() -> str:
    from janitor.verbs.run_here import user_name

    return user_name()


def _now() -> datetime:
    return datetime.now(timezone.utc)
