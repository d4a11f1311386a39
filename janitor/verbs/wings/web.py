"""The wing that serves the dashboard."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from janitor.jobs.job import Job
from janitor.scheduler import Scheduler
from janitor.settings.settings import Settings
from janitor.verbs.password import password
from janitor.verbs.wing import Wing

if TYPE_CHECKING:
    from janitor.engine.daemon import Daemon


class WebWing(Wing):
    """Adds the verb `password`, and serves the dashboard while the daemon runs."""

    verbs = (password,)

    def check(self, settings: Settings, jobs: Mapping[str, Job]) -> None:
        """Refuse an address at which other machines reach the dashboard, if nobody has to sign in there."""
        if settings.web_enabled:
            from janitor.web.serving import server

            server.guarded_address(settings)

    @contextmanager
    def beside(self, scheduler: Scheduler, daemon: "Daemon") -> Iterator[None]:
        """Serve the dashboard, unless WEB_ENABLED is false."""
        if not daemon.runner.settings.web_enabled:
            yield
            return
        from janitor.web.desk import Desk
        from janitor.web.serving import server

        with server.serving(Desk(daemon)):
            yield
