"""The command line: the list of verbs, and what an error looks like."""

import logging
import os
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path

import click

from janitor import __version__
from janitor.errors import BadSetting, JanitorError
from janitor.settings.settings import Groups
from janitor.terminal import console
from janitor.terminal.exit_codes import BAD_INPUT, CANCELLED, FAILED, SUCCEEDED
from janitor.verbs.assembly import Assembly, Build, program
from janitor.verbs.cancel import cancel
from janitor.verbs.check import check
from janitor.verbs.cursor import cursor
from janitor.verbs.delete import delete
from janitor.verbs.health import health
from janitor.verbs.history import history
from janitor.verbs.jobs import jobs
from janitor.verbs.listen import listen
from janitor.verbs.notices import notices
from janitor.verbs.password import password
from janitor.verbs.pause import pause, resume
from janitor.verbs.quarantine import quarantine
from janitor.verbs.run import run
from janitor.verbs.show import show
from janitor.verbs.start import start
from janitor.verbs.validate import validate


def main(build: Build, arguments: Sequence[str] | None = None, *, of_tasks: Groups = ()) -> int:
    """Do what the command line asks for, and return the exit code; what goes wrong is one line on stderr.

    `build` makes the clock with its jobs. `arguments` are those of the process if None. `of_tasks` are the groups of
    settings that tasks declare; each is read and checked before anything else happens.
    """
    assembly = Assembly(build, of_tasks)
    try:
        code = verbs.main(arguments, prog_name=program(), obj=assembly, standalone_mode=False)
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
            print(assembly.mask(console.one_line(mistake)), file=sys.stderr)
        _complain(assembly, f"{exc.name} is {str(exc.value)!r}: it has the mistakes above" if mistakes else str(exc))
        return BAD_INPUT
    except JanitorError as exc:
        _complain(assembly, str(exc))
        return FAILED
    except BrokenPipeError:
        # Whoever read us has had enough; Python would complain when it flushes stdout at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return SUCCEEDED
    except Exception as exc:
        if logging.getLogger().isEnabledFor(logging.DEBUG):
            sys.stderr.write(assembly.mask(traceback.format_exc()))
        hint = "set LOG_LEVEL=DEBUG to see where"
        _complain(assembly, f"an error that was not expected: {type(exc).__name__}: {exc}; {hint}")
        return FAILED


def _complain(assembly: Assembly, sentence: str) -> None:
    print(f"janitor: {assembly.mask(console.one_line(sentence))}", file=sys.stderr)


@click.group(invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="janitor", message="%(prog)s %(version)s")
@click.option("--jobs", "jobs_file", type=click.Path(path_type=Path), help="A jobs file, in place of JOBS_FILE.")
@click.pass_context
def verbs(context: click.Context, jobs_file: Path | None) -> int | None:
    """Scheduled data work: a clock, plain task functions and a memory of every run. Without a verb: start."""
    context.obj.jobs_file = jobs_file
    return context.invoke(start) if context.invoked_subcommand is None else None


for verb in (
    start,
    jobs,
    validate,
    run,
    history,
    show,
    delete,
    pause,
    resume,
    check,
    cancel,
    quarantine,
    cursor,
    listen,
    notices,
    password,
    health,
):
    verbs.add_command(verb)
