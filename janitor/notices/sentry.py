"""Sentry: an event for each run that failed or timed out, sent in the background; no run waits for it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, cast

from janitor import __version__
from janitor.engine.runner import Runner
from janitor.engine.stages import Slot
from janitor.errors import BadSetting
from janitor.jobs.job import Job
from janitor.logs.mask import Mask
from janitor.notices import sentry_event
from janitor.runs import Outcome, Run
from janitor.state.run_records import Ending
from janitor.state.slot_records import LostSlots

if TYPE_CHECKING:
    from sentry_sdk import Client
    from sentry_sdk.types import Event

CLOSE_SECONDS = 2.0
"""A daemon that stops waits so long for the last events to be sent."""
REPORTED = (Outcome.FAILED, Outcome.TIMED_OUT)


class Reporter:
    """An observer of the runner that reports what failed."""

    def __init__(self, client: "Client") -> None:
        """`client` queues events; it drops an event if its queue is full."""
        self._client = client

    def began(self, job: Job, slot: Slot, run: Run) -> None:
        """Nothing to report."""

    def ended(self, job: Job, run: Run, ending: Ending) -> None:
        """Report a run that failed or timed out."""
        if ending.outcome not in REPORTED:
            return
        self._client.capture_event(cast("Event", sentry_event.of_run(job.id, run, ending)))

    def lost(self, lost: LostSlots) -> None:
        """Report a slot whose run could not even be recorded."""
        if lost.outcome in REPORTED:
            self._client.capture_event(cast("Event", sentry_event.of_lost(lost)))


@contextmanager
def reporting(runner: Runner) -> Iterator[None]:
    """During a block, report what fails to the project that SENTRY_DSN names.

    Raises:
        BadSetting: SENTRY_DSN is malformed, or sentry-sdk is not installed.
    """
    dsn, environment = runner.settings.sentry_dsn, runner.settings.sentry_environment
    client = _open(dsn.get_secret_value() if dsn else "", environment, runner.mask)
    runner.observers.append(Reporter(client))
    try:
        yield
    finally:
        client.close(timeout=CLOSE_SECONDS)


def _open(dsn: str, environment: str, mask: Mask) -> "Client":
    try:
        from sentry_sdk import Client
    except ImportError as exc:
        help_text = "it needs sentry-sdk, which is not installed: pip install sentry-sdk, or leave it empty"
        raise BadSetting("SENTRY_DSN", "(not shown)", help_text) from exc

    def masked(event: Any, hint: Any) -> Any:
        return sentry_event.masked(event, mask)

    try:
        # A client without integrations: it changes nothing in this process, and sends events alone.
        return Client(
            dsn,
            release=f"janitor@{__version__}",
            environment=environment,
            before_send=masked,
            default_integrations=False,
            auto_enabling_integrations=False,
            auto_session_tracking=False,
            enable_backpressure_handling=False,
            send_client_reports=False,
            in_app_include=["janitor"],
        )
    except ValueError as exc:
        help_text = f"{exc}; give a project's DSN, such as https://key@sentry.example.com/42"
        raise BadSetting("SENTRY_DSN", "(not shown)", help_text) from exc
