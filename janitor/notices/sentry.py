"""Sentry: an event for each run that failed or timed out, sent in the background; no run waits for it."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from janitor import __version__
from janitor.engine.runner import Runner
from janitor.engine.stages import Slot
from janitor.errors import BadSetting
from janitor.jobs.job import Job
from janitor.logs.mask import Mask
from janitor.runs import Outcome, Run
from janitor.state.run_records import Ending, LostSlots

if TYPE_CHECKING:
    from sentry_sdk import Client

CLOSE_SECONDS = 2.0
"""How long a daemon that stops waits until the last events are sent."""
REPORTED = (Outcome.FAILED, Outcome.TIMED_OUT)

_NEXT = re.compile(
    r"\n\n(?:The above exception was the direct cause of the following exception"
    r"|During handling of the above exception, another exception occurred):\n\n"
)
_CODE = re.compile(r"    (?P<marked>[> ]) +\d+ (?P<code>.*)")
_FRAME = re.compile(r'  File "(?P<abs_path>.*)", line (?P<lineno>\d+), in (?P<function>.*)')


class Reporter:
    """An observer of the runner that reports what failed."""

    def __init__(self, client: "Client") -> None:
        """`client` queues what it is given, and drops what does not fit into its queue."""
        self._client = client

    def began(self, job: Job, slot: Slot, run: Run) -> None:
        """Nothing to report."""

    def ended(self, job: Job, run: Run, ending: Ending) -> None:
        """Report a run that failed or timed out."""
        if ending.outcome not in REPORTED:
            return
        facts: dict[str, Any] = {"reason": ending.reason, "seconds": ending.seconds, "attempts": ending.attempts}
        facts |= {"slot": run.slot_at and run.slot_at.isoformat(), "dry_run": run.dry_run}
        event = _event(job.id, ending.outcome, ending.reason or "", facts)
        event["tags"]["run_id"], event["timestamp"] = str(run.id), ending.ended_at
        if ending.traceback:
            event["exception"] = {"values": exceptions(ending.traceback)}
            event["extra"]["traceback"] = ending.traceback
        self._client.capture_event(event)

    def lost(self, lost: LostSlots) -> None:
        """Report a slot whose run could not even be recorded."""
        if lost.outcome in REPORTED:
            facts = {"slot": lost.first_at.isoformat(), "slots": lost.slots}
            self._client.capture_event(_event(lost.job, lost.outcome, lost.reason, facts))


@contextmanager
def reporting(runner: Runner) -> Iterator[None]:
    """Report to the project that SENTRY_DSN names what fails during a block.

    Raises:
        BadSetting: it is malformed, or sentry-sdk is not installed.
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
        return _masked(event, mask)

    try:
        # A client of its own, without any integration: it changes nothing in this process, and sends only events.
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


def exceptions(trace: str) -> list[dict[str, Any]]:
    """A traceback as `tracebacks` renders it, as Sentry has it: every exception of the chain, the first cause first."""
    return [_exception(part) for part in _NEXT.split(trace.strip())]


def _exception(part: str) -> dict[str, Any]:
    frames: list[dict[str, Any]] = []
    text: list[str] = []
    for line in part.splitlines():
        found = _FRAME.fullmatch(line)
        if text or not (found or line.startswith(("Traceback (", "  "))):
            text.append(line)
        elif found:
            frames.append({**found.groupdict(), "filename": found["abs_path"], "lineno": int(found["lineno"])})
        elif frames and (code := _CODE.fullmatch(line)):
            _add_code(frames[-1], code["marked"] == ">", code["code"])
    name, _, value = "\n".join(text).partition(": ")
    module, _, kind = name.rpartition(".")
    found_frames = {"stacktrace": {"frames": frames}} if frames else {}
    return {"type": kind, "module": module or None, "value": value, **found_frames}


def _add_code(frame: dict[str, Any], marked: bool, code: str) -> None:
    if marked:
        frame["context_line"] = code
    else:
        frame.setdefault("post_context" if "context_line" in frame else "pre_context", []).append(code)


def _event(job: str, outcome: Outcome, reason: str, facts: dict[str, Any]) -> Any:
    return {
        "level": "error",
        "logger": "janitor",
        "transaction": job,
        "message": f"{job} {outcome.value.replace('_', ' ')}: {reason}",
        "tags": {"job": job, "outcome": outcome.value},
        # One issue for each job and cause: the same server may be away for many jobs.
        "fingerprint": ["{{ default }}", job],
        "extra": facts,
    }


def _masked(value: Any, mask: Mask) -> Any:
    if isinstance(value, str):
        return mask(value)
    if isinstance(value, dict):
        return {name: _masked(one, mask) for name, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_masked(one, mask) for one in value]
    return value
