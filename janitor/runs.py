"""The life of a run: what a task sees of the run that it is part of."""

import functools
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar, copy_context
from dataclasses import dataclass, field
from datetime import datetime, timezone
from enum import StrEnum
from typing import Any

from janitor.errors import Cancelled, DeadlineExceeded


class Outcome(StrEnum):
    """How a run, or a slot that got none, ended."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    TIMED_OUT = "timed_out"
    SKIPPED = "skipped"
    MISSED = "missed"
    CANCELLED = "cancelled"
    INTERRUPTED = "interrupted"


@dataclass(frozen=True, order=True)
class Fence:
    """A lease that is held: its name, and the token that every write made under it must still find there."""

    name: str
    token: int


ProgressSink = Callable[[tuple[str, ...], float, float | None, str], None]


def _nothing() -> None:
    """No guard."""


def _nowhere(path: tuple[str, ...], done: float, total: float | None, note: str) -> None:
    """Progress that nobody asked for."""


@dataclass(eq=False)
class Run:
    """One execution of a job, as its task sees it; made by the engine, found with `current_run()`.

    `deadline` is a reading of `time.monotonic()`, infinite without a timeout. `stop` is set by the engine with
    `ask_to_stop` and noticed by the task at its next safe point. `guard` raises where the run may no longer write.
    `used` tells which run of each dependency this one uses.
    """

    id: int = 0
    job: str = ""
    slot_at: datetime | None = None
    started_at: datetime = field(default_factory=lambda: datetime.now(timezone.utc))
    dry_run: bool = False
    deadline: float = float("inf")
    timeout_seconds: float = float("inf")
    attempt: int = 1
    fences: dict[str, Fence] = field(default_factory=dict)
    state: Any = None
    holder: str = ""
    used: Mapping[str, int] = field(default_factory=dict)
    guard: Callable[[], None] = _nothing
    on_progress: ProgressSink = _nowhere
    stop: threading.Event = field(default_factory=threading.Event)
    stopped_by: Cancelled | None = None
    ended: bool = False

    @property
    def remaining_seconds(self) -> float:
        """Seconds until the deadline, never below 0; infinite without a timeout."""
        return max(0.0, self.deadline - time.monotonic())

    def check(self) -> None:
        """Mark a safe point: end the run here if its time is over or it was asked to stop.

        Raises:
            DeadlineExceeded: the run is over its timeout.
            Cancelled: the run was asked to stop.
            Unavailable: the state database has been away for so long that another daemon may have taken over.
        """
        if self.stop.is_set():
            raise self.stopped_by or Cancelled("asked to stop")
        if time.monotonic() > self.deadline:
            raise DeadlineExceeded(f"over its timeout of {self.timeout_seconds:g} s")
        self.guard()

    def ask_to_stop(self, reason: Cancelled) -> None:
        """Let the task end at its next safe point, with `reason`."""
        self.stopped_by = self.stopped_by or reason
        self.stop.set()

    def sleep(self, seconds: float) -> None:
        """Wait, as a safe point all the while.

        Raises:
            DeadlineExceeded, Cancelled: as `check` does.
        """
        self.stop.wait(min(seconds, self.remaining_seconds))
        self.check()

    def progress(self, done: float, total: float | None = None, *path: str, note: str = "") -> None:
        """Report how far the run is: `done` of `total` in any unit (None: unknown), or how far a part of it is.

        `path` names the part, from the outermost inwards: `progress(3, 10, "site a", "pages")`. A part for which
        nothing is reported shows the sum of its own parts. From any thread of the task, in any order; it is a safe
        point, cheap enough for every page, and reaches the state database within a second.

        Raises:
            DeadlineExceeded, Cancelled: as `check` does.
        """
        self.check()
        self.on_progress(path, done, total, note)


_current: ContextVar[Run | None] = ContextVar("janitor_run", default=None)


def current_run() -> Run:
    """The run that this code is part of; outside any, one without id, deadline or memory, for plain calls."""
    run = _current.get()
    # A thread that outlives the run that started it, in a pool for example, is part of no run any more.
    return Run() if run is None or run.ended else run


@contextmanager
def running(run: Run) -> Iterator[Run]:
    """Make `run` the current one in this context."""
    token = _current.set(run)
    try:
        yield run
    finally:
        _current.reset(token)


def follow_into_threads() -> None:
    """Let the threads that a run starts, by whatever library, be part of it; calling it twice is harmless.

    Python before 3.14 starts every thread without the context of the code that started it: what a pool's threads log
    would be missing in the run's log, and their statements would know no deadline.
    """
    if getattr(threading.Thread.start, "follows_runs", False):
        return
    plainly = threading.Thread.start

    @functools.wraps(plainly)
    def start(thread: threading.Thread) -> None:
        if _current.get() is not None:
            thread.run = functools.partial(copy_context().run, thread.run)  # type: ignore[method-assign]
        plainly(thread)

    start.follows_runs = True  # type: ignore[attr-defined]
    threading.Thread.start = start  # type: ignore[method-assign,assignment]


@dataclass(frozen=True)
class PastRun:
    """A run that is about to be deleted, as its job's `cleanup` gets it; `result` is None where none is kept."""

    id: int
    job: str
    outcome: str
    started_at: datetime
    ended_at: datetime | None
    counts: Mapping[str, Any] | None
    result: Any = None
    used: Mapping[str, int] = field(default_factory=dict)
