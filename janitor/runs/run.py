"""The run that this code is part of, as its task sees it."""

import os
import threading
import time
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any

from janitor.errors import Cancelled, DeadlineExceeded
from janitor.runs.outcome import Fence

ProgressSink = Callable[[tuple[str, ...], float, float | None, str], None]


LOOK_SECONDS = 0.2
"""How often a run that waits looks whether it may go on."""


def _let_pass() -> bool:
    """The guard of a run that may always write."""
    return True


def _tell_nobody(path: tuple[str, ...], done: float, total: float | None, note: str) -> None:
    """Where progress goes if nobody wants it."""


@dataclass(eq=False)
class Run:
    """One execution of a job, as its task sees it. The engine makes it; the task finds it with `current_run()`.

    `deadline` is a reading of `time.monotonic()`; it is infinite without a timeout. The engine sets `stop` with
    `ask_to_stop`; the task notices at its next safe point. `guard` tells whether the run may write: False if that will
    turn out soon; it raises if the run may not write any more. `used` tells which run of each dependency this run uses.
    `mask` takes secrets out of a text that is kept. `by_hand` says that a person asked for it. `children` makes child
    processes for a part of the run's work. `in_doubt` is True once `guard` has raised.
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
    guard: Callable[[], bool] = _let_pass
    on_progress: ProgressSink = _tell_nobody
    mask: Callable[[str], str] = str
    stop: threading.Event = field(default_factory=threading.Event)
    stopped_by: Cancelled | None = None
    ended: bool = False
    by_hand: bool = False
    children: Any = None
    in_doubt: bool = False
    part_of: "Run | None" = None

    def part(self, seconds: float, on_progress: ProgressSink) -> "Run":
        """A part of this run that may take so many seconds, and ends with it at the latest."""
        return Run(
            id=self.id,
            job=self.job,
            slot_at=self.slot_at,
            started_at=self.started_at,
            dry_run=self.dry_run,
            deadline=min(self.deadline, time.monotonic() + seconds),
            timeout_seconds=seconds,
            fences=self.fences,
            state=self.state,
            holder=self.holder,
            used=self.used,
            guard=self.guard,
            on_progress=on_progress,
            mask=self.mask,
            stop=self.stop,
            part_of=self,
        )

    @property
    def remaining_seconds(self) -> float:
        """Seconds until the deadline, never below 0; infinite without a timeout."""
        return max(0.0, self.deadline - time.monotonic())

    def check(self) -> None:
        """Mark a safe point: the run ends here if its time is over, or if it was asked to stop.

        Raises:
            DeadlineExceeded: the run is over its timeout.
            Cancelled: the run was asked to stop.
            Unavailable: the state database was away so long that another daemon may have taken over.
        """
        self._end_if_due()
        while not self._may_go_on():
            self.stop.wait(LOOK_SECONDS)
            self._end_if_due()

    def _may_go_on(self) -> bool:
        self.in_doubt = True
        found = self.guard()
        self.in_doubt = False
        return found

    def _end_if_due(self) -> None:
        if self.stop.is_set():
            raise (self.part_of or self).stopped_by or Cancelled("asked to stop")
        if time.monotonic() > self.deadline:
            raise DeadlineExceeded(f"over its timeout of {self.timeout_seconds:g} s")

    def ask_to_stop(self, reason: Cancelled) -> None:
        """Let the task end at its next safe point, with `reason`."""
        self.stopped_by = self.stopped_by or reason
        self.stop.set()

    def sleep(self, seconds: float) -> None:
        """Wait for `seconds`; the whole wait is a safe point.

        Raises:
            DeadlineExceeded, Cancelled: as `check` does.
        """
        self.stop.wait(min(seconds, self.remaining_seconds))
        self.check()

    def progress(self, done: float, total: float | None = None, *path: str, note: str = "") -> None:
        """Report how far the run is, or a part of it: `done` of `total`, in any unit; None means an unknown total.

        `path` names the part, from the outermost inwards: `progress(3, 10, "site a", "pages")`. A part without a
        report of its own shows the sum of its parts. Any thread of the task may call it, in any order. It is a safe
        point, it is cheap enough for every page, and it reaches the state database within a second.

        Raises:
            DeadlineExceeded, Cancelled: as `check` does.
        """
        self.check()
        self.on_progress(path, done, total, note)


_current: ContextVar[Run | None] = ContextVar("janitor_run", default=None)


def current_run() -> Run:
    """The run that this code is part of.

    Code outside any run gets a run without id, deadline or memory, so a task can be called as a plain function.
    """
    run = _current.get()
    # A thread in a pool may outlive the run that started it. It is part of no run any more.
    return Run() if run is None or run.ended else run


def is_running() -> bool:
    """Whether this code is part of a run, also of a run that has ended."""
    return _current.get() is not None


class running:
    """A block of which `run` is the current run; it is that of its context alone."""

    __slots__ = ("_run", "_token")

    def __init__(self, run: Run) -> None:
        """Nothing changes yet."""
        self._run = run

    def __enter__(self) -> Run:
        """Begin the block."""
        self._token = _current.set(self._run)
        return self._run

    def __exit__(self, *error: object) -> None:
        """End the block."""
        _current.reset(self._token)


def _in_forked_child() -> None:
    """A child cannot tell whether its parent still holds the leases; its writes are refused once they are lost."""
    run = _current.get()
    if run is not None:
        run.guard, run.on_progress = _let_pass, _tell_nobody


os.register_at_fork(after_in_child=_in_forked_child)
