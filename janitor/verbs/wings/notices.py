"""The wing that tells people: notices, pings, and reports to Sentry."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from janitor.jobs.job import Job
from janitor.scheduler import Scheduler
from janitor.settings.settings import Settings
from janitor.verbs.notices import notices
from janitor.verbs.wing import Wing

if TYPE_CHECKING:
    from janitor.engine.daemon import Daemon


class NoticesWing(Wing):
    """Adds the verb `notices`, and tells of runs while the daemon runs."""

    verbs = (notices,)

    def check(self, settings: Settings, jobs: Mapping[str, Job]) -> None:
        """Refuse rules and channels that do not fit together."""
        from janitor.notices import wing

        wing.check(settings, jobs)

    @contextmanager
    def beside(self, scheduler: Scheduler, daemon: "Daemon") -> Iterator[None]:
        """Tell of runs, and report failures to Sentry if SENTRY_DSN is set."""
        from janitor.notices import wing

        with ExitStack() as stack:
            if daemon.runner.settings.sentry_dsn is not None:
                from janitor.notices import sentry

                stack.enter_context(sentry.reporting(daemon.runner))
            stack.enter_context(wing.running(daemon.runner, scheduler.jobs))
            yield
