"""Sentry's event for a failure: what was raised, as Sentry writes it."""

from collections.abc import Mapping
from typing import Any

from janitor.logs import tracebacks
from janitor.logs.mask import Mask
from janitor.runs import Outcome, Run
from janitor.state.raised import Frame, Raised
from janitor.state.run_records import Ending
from janitor.state.slot_records import LostSlots

PLAIN_MODULES = ("builtins", "__main__")
"""Python prints an exception's type without these modules."""


def of_run(job: str, run: Run, ending: Ending) -> dict[str, Any]:
    """The event for a run that failed; it may hold secrets."""
    facts = {
        "reason": ending.reason,
        "seconds": ending.seconds,
        "attempts": ending.attempts,
        "slot": run.slot_at and run.slot_at.isoformat(),
        "dry_run": run.dry_run,
        **({"traceback": ending.traceback} if ending.traceback else {}),
    }
    raised = {"exception": {"values": exceptions(ending.raised)}} if ending.raised else {}
    event = _event(job, ending.outcome, ending.reason or "", facts, {"run_id": str(run.id)})
    return {**event, "timestamp": ending.ended_at, **raised}


def of_lost(lost: LostSlots) -> dict[str, Any]:
    """The event for slots whose run could not even be recorded; it may hold secrets."""
    facts = {"slot": lost.first_at.isoformat(), "slots": lost.slots}
    return _event(lost.job, lost.outcome, lost.reason, facts, {})


def exceptions(chain: tuple[Raised, ...]) -> list[dict[str, Any]]:
    """A chain of exceptions, the first cause first; the members of a group stand in its text."""
    return [_exception(raised) for raised in chain]


def masked(value: Any, mask: Mask) -> Any:
    """An event, or a part of it, without secrets."""
    if isinstance(value, str):
        return mask(value)
    if isinstance(value, dict):
        return {name: masked(part, mask) for name, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [masked(part, mask) for part in value]
    return value


def _event(
    job: str, outcome: Outcome, reason: str, facts: Mapping[str, Any], tags: Mapping[str, str]
) -> dict[str, Any]:
    return {
        "level": "error",
        "logger": "janitor",
        "transaction": job,
        "message": f"{job} {outcome.value.replace('_', ' ')}: {reason}",
        "tags": {"job": job, "outcome": outcome.value, **tags},
        # One issue for each job and cause: the same server may be away for many jobs.
        "fingerprint": ["{{ default }}", job],
        "extra": dict(facts),
    }


def _exception(raised: Raised) -> dict[str, Any]:
    module = None if raised.module in PLAIN_MODULES else raised.module
    name = f"{module}.{raised.kind}" if module else raised.kind
    text = (raised.description + tracebacks.members_as_text(raised)).strip()
    frames = [_frame(frame) for frame in raised.frames]
    return {
        "type": raised.kind,
        "module": module,
        "value": text.partition(f"{name}: ")[2],
        **({"stacktrace": {"frames": frames}} if frames else {}),
    }


def _frame(frame: Frame) -> dict[str, Any]:
    return {
        "abs_path": frame.file,
        "filename": frame.file,
        "function": frame.function,
        "lineno": frame.line,
        "pre_context": [text for number, text in frame.code if number < frame.line],
        "context_line": "".join(text for number, text in frame.code if number == frame.line),
        "post_context": [text for number, text in frame.code if number > frame.line],
    }
