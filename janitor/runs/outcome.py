"""How a run ends, what it holds while it writes, and what is left of it afterwards."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any


class Outcome(StrEnum):
    """How a run ended, or a slot that got no run."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    TIMED_OUT = "timed_out"
    SKIPPED = "skipped"
    MISSED = "missed"
    CANCELLED = "cancelled"
    INTERRUPTED = "interrupted"


CUT_OFF = "it came to no safe point"
"""How the reason of a run begins that a daemon has cut off as it stopped in order."""


@dataclass(frozen=True, order=True)
class Fence:
    """A lease that is held: its name, and its token. A write made under the lease counts only if the token is there."""

    name: str
    token: int


@dataclass(frozen=True)
class PastRun:
    """A run that is about to be deleted, as its job's `cleanup` gets it; `result` is None if no result was kept."""

    id: int
    job: str
    outcome: str
    started_at: datetime
    ended_at: datetime | None
    counts: Mapping[str, Any] | None
    result: Any = None
    used: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class PastItem:
    """An item that is about to be deleted, as a step's `cleanup` gets it.

    `status` is that of the step; `result` is what the step left, None if it left nothing.
    """

    pipeline: str
    step: str
    key: str
    status: str
    args: Mapping[str, Any]
    result: Any = None
