"""What a removable wing may add: verbs, options, jobs, checks, and work beside the clock."""

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, ClassVar

import click

from janitor.jobs.job import Job
from janitor.scheduler import Scheduler
from janitor.settings.settings import Settings

if TYPE_CHECKING:
    from janitor.engine.daemon import Daemon


class Wing:
    """A wing as the command line sees it; this one adds nothing. The command line makes one of each kind."""

    verbs: ClassVar[tuple[click.Command, ...]] = ()
    """Verbs of its own."""
    options: ClassVar[tuple[tuple[str, click.Option], ...]] = ()
    """Options that it adds, each to a verb by name; the empty name is the program itself."""

    def jobs(self, settings: Settings, scheduler: Scheduler) -> Mapping[str, Job]:
        """Its jobs, beside those that `run.py` gave to the `scheduler`.

        Raises:
            BadSetting: its jobs cannot be made.
        """
        return {}

    def check(self, settings: Settings, jobs: Mapping[str, Job]) -> None:
        """Look at its settings together; nothing is connected.

        Raises:
            BadSetting: its settings do not fit together.
        """

    def beside(self, scheduler: Scheduler, daemon: "Daemon") -> AbstractContextManager[None]:
        """What it does beside the clock, from the beginning of the block to its end; nothing if it is switched off."""
        return nullcontext()
