"""The wing that takes jobs from a file in YAML."""

import logging
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from janitor.jobs.job import Job
from janitor.scheduler import Scheduler
from janitor.settings.settings import Settings
from janitor.verbs.assembly import Assembly
from janitor.verbs.validate import validate
from janitor.verbs.wing import Wing

if TYPE_CHECKING:
    from janitor.engine.daemon import Daemon
    from janitor.jobs_file.loading import Loaded


def _take_file(context: click.Context, option: click.Parameter, path: Path | None) -> None:
    assembly = context.find_object(Assembly)
    if path is not None and assembly is not None:
        assembly.given["JOBS_FILE"] = assembly.typed["--jobs"] = str(path)


def _export(context: click.Context, option: click.Parameter, wanted: bool) -> None:
    # A shell that completes a line parses it too, and must get no jobs.
    if not wanted or context.resilient_parsing:
        return
    from janitor.jobs_file.export import export

    assembly: Assembly = context.obj
    assembly.log_to(sys.stderr, tracebacks=False, least=logging.WARNING)
    sys.stdout.writelines(export(assembly.scheduler.jobs.values(), assembly.settings))
    context.exit()


JOBS = click.Option(
    ["--jobs"],
    type=click.Path(path_type=Path),
    is_eager=True,
    expose_value=False,
    callback=_take_file,
    help="A jobs file, in place of JOBS_FILE; also after a verb.",
)
EXPORT = click.Option(
    ["--export"], is_flag=True, expose_value=False, callback=_export, help="Print them as a jobs file."
)


class JobsFileWing(Wing):
    """Adds the verb `validate` and two options, and takes jobs from the file while the daemon runs."""

    verbs = (validate,)
    options = (("", JOBS), ("jobs", EXPORT))

    def __init__(self) -> None:
        """Nothing is read yet."""
        self._loaded: Loaded | None = None

    def jobs(self, settings: Settings, scheduler: Scheduler) -> Mapping[str, Job]:
        """Read the jobs of the file, if JOBS_FILE names a file.

        Raises:
            BadJobsFile: the file has mistakes.
        """
        if settings.jobs_file is None:
            return {}
        from janitor.jobs_file.loading import load

        self._loaded = load(settings.jobs_file, scheduler)
        return self._loaded.jobs

    @contextmanager
    def beside(self, scheduler: Scheduler, daemon: "Daemon") -> Iterator[None]:
        """Take over what changes in the file, if there is a file."""
        if self._loaded is None or daemon.runner.settings.jobs_file is None:
            yield
            return
        from janitor.jobs_file.watching import watching

        with watching(scheduler, daemon.runner.settings.jobs_file, self._loaded, daemon.runner.loops):
            yield
