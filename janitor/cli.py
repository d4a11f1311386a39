"""The command line: the list of verbs, and what an error looks like."""

import copy
import errno
import logging
import sys
import traceback
from collections.abc import Sequence
from functools import partial

import click

from janitor import __version__
from janitor.errors import BadSetting, JanitorError, summary
from janitor.guard import foreign_code
from janitor.settings.settings import Groups
from janitor.terminal import console, streams
from janitor.terminal.exit_codes import BAD_INPUT, CANCELLED, FAILED, SUCCEEDED
from janitor.verbs.assembly import Assembly
from janitor.verbs.backup import backup
from janitor.verbs.cancel import cancel
from janitor.verbs.check import check
from janitor.verbs.cursor import cursor
from janitor.verbs.delete import delete
from janitor.verbs.drop import drop
from janitor.verbs.flag import flag
from janitor.verbs.front_door import Build, command, import_from_here
from janitor.verbs.health import health
from janitor.verbs.history import history
from janitor.verbs.item import item
from janitor.verbs.items import items
from janitor.verbs.jobs import jobs
from janitor.verbs.letters import letters
from janitor.verbs.listen import listen
from janitor.verbs.migrate import migrate
from janitor.verbs.pause import pause, resume
from janitor.verbs.places import place_of
from janitor.verbs.push import push
from janitor.verbs.quarantine import quarantine
from janitor.verbs.rename import rename
from janitor.verbs.reprocess import reprocess
from janitor.verbs.reset import reset
from janitor.verbs.restore import restore
from janitor.verbs.restored import restored
from janitor.verbs.retry import retry
from janitor.verbs.run import run
from janitor.verbs.show import show
from janitor.verbs.start import start
from janitor.verbs.wings import WINGS

__all__ = ["main"]

VERBS = (
    *(start, jobs, run, history, show, delete, pause, resume, rename),
    *(check, cancel, quarantine, cursor, listen, health),
    *(items, item, push, retry, reprocess, reset, drop, flag, letters),
    *(migrate, backup, restore, restored),
)


def main(build: Build | None = None, arguments: Sequence[str] | None = None, *, of_tasks: Groups = ()) -> int:
    """Do what the command line asks for, and return the exit code; what goes wrong is one line on stderr.

    `build` makes the clock with its jobs; without it, it is taken from `--app` or from ./run.py. `arguments` are those
    of the process if None. `of_tasks` are the groups of settings that tasks declare; each is read and checked before
    anything else happens.
    """
    streams.prepare()
    assembly = Assembly(build, of_tasks, [make() for make in WINGS])
    code = FAILED
    with foreign_code(partial(_tell, assembly)) as told:
        ended = verbs.main(arguments, prog_name=command({}), obj=assembly, standalone_mode=False)
        sys.stdout.flush()
        code = ended if isinstance(ended, int) else SUCCEEDED
    streams.finish()
    return code if told.instead is None else told.instead


def console_script() -> None:
    """The command `janitor`: without a front door of its own, it finds one; the process ends with the exit code."""
    import_from_here()
    sys.exit(main())


def _tell(assembly: Assembly, error: BaseException) -> int:
    """Tell what ended a verb; the exit code."""
    match error:
        case click.Abort():
            return CANCELLED
        case click.ClickException():
            _complain(assembly, _of_usage(error))
            return BAD_INPUT
        case BadSetting() if error.mistakes:
            for mistake in error.mistakes:
                print(assembly.mask(console.one_line(mistake)), file=sys.stderr)
            _complain(assembly, f"{error.name} is {str(error.value)!r}: it has the mistakes above")
            return BAD_INPUT
        case JanitorError():
            _complain(assembly, str(error))
            return BAD_INPUT if isinstance(error, BadSetting) else FAILED
        case BrokenPipeError():
            # The reader of our output has had enough.
            streams.give_up()
            return SUCCEEDED
        case OSError(errno=errno.ENOSPC, filename=None):
            streams.give_up()
            _complain(assembly, "there is no room for what this command prints: make room, or print to another place")
            return FAILED
    if isinstance(error, OSError):
        streams.give_up()
    if logging.getLogger().isEnabledFor(logging.DEBUG):
        sys.stderr.write(assembly.mask("".join(traceback.format_exception(error))))
    said, place = summary(error, whole=True), place_of(error)
    _complain(assembly, f"an error that was not expected: {said}{place}; set LOG_LEVEL=DEBUG to see where")
    return FAILED


def _of_usage(error: click.ClickException) -> str:
    """What was typed wrongly, and where it says what would be right."""
    said = error.format_message()
    context = error.ctx if isinstance(error, click.UsageError) else None
    said = f"{said[:1].lower()}{said[1:].rstrip('.')}"
    if context is None:
        return said
    return f"{said}{'' if said.endswith(('?', ')')) else ';'} `{context.command_path} --help` tells what there is"


def _complain(assembly: Assembly, sentence: str) -> None:
    streams.complain(assembly.mask(console.one_line(sentence)))


@click.group(invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="janitor", message="%(prog)s %(version)s")
@click.pass_context
def verbs(context: click.Context) -> int | None:
    """Scheduled data work: a clock, plain task functions and a memory of every run. Without a verb: start."""
    return context.invoke(start) if context.invoked_subcommand is None else None


def _take_app(context: click.Context, option: click.Parameter, app: str | None) -> None:
    assembly = context.find_object(Assembly)
    if app is not None and assembly is not None:
        assembly.app = assembly.typed["--app"] = app


APP = click.Option(
    ["--app"],
    metavar="PACKAGE.MODULE:BUILD",
    is_eager=True,
    expose_value=False,
    callback=_take_app,
    help="The function that makes the jobs, in place of ./run.py; also after a verb.",
)


def _take_everywhere(option: click.Option, verb: click.Command) -> None:
    """Let an option of the program stand after a verb too; a verb's own option of that name counts for more."""
    if not {name for own in verb.params for name in own.opts} & set(option.opts):
        again = copy.copy(option)
        again.hidden = True
        verb.params.append(again)
    for inner in verb.commands.values() if isinstance(verb, click.Group) else ():
        _take_everywhere(option, inner)


for verb in (*VERBS, *(verb for wing in WINGS for verb in wing.verbs)):
    verbs.add_command(verb)
OPTIONS = (("", APP), *(option for wing in WINGS for option in wing.options))
for name, option in OPTIONS:
    (verbs.commands[name] if name else verbs).params.append(option)
for option in (option for name, option in OPTIONS if not name):
    for verb in verbs.commands.values():
        _take_everywhere(option, verb)
