"""What runs beside the clock, each where its settings ask for it: Sentry, notices, the dashboard, the jobs file."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from janitor.engine.runner import Runner
    from janitor.jobs_file.loading import Loaded
    from janitor.scheduler import Scheduler


@contextmanager
def running(scheduler: "Scheduler", runner: "Runner", loaded: "Loaded | None") -> Iterator[None]:
    """Start each wing that is switched on; all have stopped after the block, the last one first.

    `loaded` is what the jobs file held at the start, None without one.
    """
    with ExitStack() as stack:
        if runner.settings.sentry_dsn is not None:
            from janitor.notices import sentry

            stack.enter_context(sentry.reporting(runner))
        from janitor.notices import wing

        stack.enter_context(wing.running(runner, scheduler.jobs))
        if runner.settings.web_enabled:
            from janitor.web.desk import Desk
            from janitor.web.serving import server

            stack.enter_context(server.serving(Desk(scheduler, runner)))
        if loaded is not None and runner.settings.jobs_file is not None:
            from janitor.jobs_file.watching import watching

            stack.enter_context(watching(scheduler, runner.settings.jobs_file, loaded))
        yield
