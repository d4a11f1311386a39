"""A task in a child process, as its parent sees it: started, followed, asked to stop, ended for certain.

    parent, in the run's thread                          child (in_child.py)
    start it, with the run's facts and the task  ─────>  a fresh interpreter, in a session of its own
    handle each record as if logged here         <─────  log lines
    print it as if printed here                  <─────  what it prints
    report it as the run's own                   <─────  progress
    asked to stop: say so, and wait the grace    ─────>  stops at its next safe point
    return, or raise                             <─────  what the task returned or raised
    over its time, or over the grace: SIGKILL    ─────>  it is gone, with all that it started

One pipe carries it all, and one loop reads it, between looks at the deadline: a queue's listener would need a thread
and could not end the run. Nothing is lost if the child is killed: what it wrote is in the pipe.
"""

import contextlib
import logging
import multiprocessing
import os
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any

from janitor.engine import in_child, in_warm_child
from janitor.engine.in_child import About, Task
from janitor.errors import (
    Cancelled,
    DeadlineExceeded,
    Fenced,
    Interrupted,
    JanitorError,
    Rejected,
    Skip,
    StatementTimeout,
    Unavailable,
)
from janitor.items.item import Item
from janitor.items.step import Step
from janitor.items.trying import Call, Died, Failed, FailedElsewhere
from janitor.items.trying import Returned as ItemReturned
from janitor.jobs.job import Job
from janitor.jobs.returned import Returned
from janitor.runs import Run
from janitor.settings.settings import Settings
from janitor.state.raised import Raised

POLL_SECONDS = 0.1
KILL_AFTER_SECONDS = 2.0
STOP_SECONDS = 1.0
LEAVES = (Cancelled, DeadlineExceeded, Fenced, Interrupted, Rejected, Skip, StatementTimeout, Unavailable)
"""The errors that mean the same in the parent as in the child; any other error comes with what was raised."""


Show = Callable[[str, str], None]
"""Prints a text, on the stream of a name."""


class ChildFailed(JanitorError):
    """Raised when a task failed in its child process; `raised` is what was raised there, empty if the child died."""

    def __init__(self, reason: str, raised: tuple[Raised, ...] = ()) -> None:
        super().__init__(reason)
        self.raised = raised


def call(job: Job, run: Run, settings: Settings, show: Show) -> Returned:
    """Run the job's task in a fresh interpreter, with its log and progress as if it ran here; what it returned.

    `show` gets what it prints.

    A child that is asked to stop may come to its next safe point within the grace. It is killed after that, and at its
    deadline.

    Raises:
        DeadlineExceeded: its time was over.
        Interrupted, Cancelled: it was asked to stop.
        ChildFailed: it raised, or died.
    """
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    task = Task(job.func, tuple(job.args), dict(job.kwargs), job.keeps_result)
    process = context.Process(target=in_child.main, args=(theirs, settings, About.of(run), task), daemon=True)
    child = _Child(ours, process, run, show, settings.grace_seconds)
    seconds = 0.0
    try:
        process.start()
        theirs.close()
        returned: Returned = _follow(child)
        seconds = KILL_AFTER_SECONDS
        return returned
    finally:
        _end(child, seconds)
        ours.close()


@dataclass
class _Child:
    """A child process; once it was asked to stop, it has until `stop_until`. `gone` says that nothing is left of it."""

    pipe: Connection
    process: BaseProcess
    run: Run
    show: Show
    grace_seconds: float
    stop_until: float | None = None
    gone: bool = False
    answered: bool = False
    stop_word: str | None = None


class WarmChild:
    """A child process that calls a step for one item after the other; it is made anew after each death.

    It is killed if an item is over its time, and replaced after `step.items_per_child` items.
    """

    def __init__(self, step: Step, settings: Settings, show: Show, run: Run) -> None:
        """Nothing is started before the first item; `show` gets what the step prints. `run` is the step's run."""
        self._step, self._settings, self._show, self._run = step, settings, show, run
        self._child: _Child | None = None
        self._items = 0

    def ready(self) -> Call:
        """Have a process that waits for an item, and give what calls the step there.

        Whatever the item may take, starting the process takes none of it.

        Raises:
            DeadlineExceeded, Interrupted, Cancelled: the run is over its time, or was asked to stop.
            Unavailable: the process ended before it took an item; or another daemon may have taken over.
        """
        child = self._child
        if child is not None and (self._items >= self._step.items_per_child or _has_ended(child.process)):
            self.close()
        if self._child is None:
            self._start()
        # Starting a process takes long: a lease may be lost meanwhile.
        self._run.check()
        return self._call

    def _call(self, item: Item, run: Run) -> ItemReturned:
        """Have an item's step called; what it returned.

        Raises:
            DeadlineExceeded: the item's time was over; the process was killed.
            Interrupted, Cancelled: the run was asked to stop.
            Failed, FailedElsewhere: it raised.
            Died: its process ended.
        """
        assert self._child is not None
        child = self._child = replace(self._child, run=run, stop_until=None, answered=False)
        try:
            self._items += 1
            try:
                child.pipe.send((in_warm_child.CALL, (About.of(run), item)))
            except OSError:
                raise _died(child) from None
            returned: ItemReturned = _follow(child)
        except ChildFailed as exc:
            if child.gone:
                raise Died(str(exc)) from None
            raise FailedElsewhere(str(exc), exc.raised) from None
        finally:
            if not child.answered:
                self.close()
        if returned.failure is not None:
            raise Failed(*returned.failure)
        return returned

    def close(self) -> None:
        """End the process, with all that it started."""
        child, self._child = self._child, None
        if child is not None:
            _end(child, 0.0)
            child.pipe.close()

    def _start(self) -> None:
        context, self._items = multiprocessing.get_context("spawn"), 0
        ours, theirs = context.Pipe()
        arguments = (theirs, self._settings, replace(self._step, requires=(), cleanup=None))
        process = context.Process(target=in_warm_child.main, args=arguments, daemon=True)
        # Nothing is lost with a process that has no item yet: it gets no time to stop.
        child = _Child(ours, process, self._run, self._show, grace_seconds=0.0, stop_word=in_warm_child.STOP)
        try:
            process.start()
            theirs.close()
            _follow(child)
        except ChildFailed as exc:
            raise Unavailable(f"before it took an item, {exc}") from None
        finally:
            if not child.answered:
                _end(child, 0.0)
                ours.close()
        self._child = replace(child, grace_seconds=self._settings.grace_seconds)


@contextlib.contextmanager
def warm(settings: Settings, show: Show, step: Step, run: Run) -> Iterator[Callable[[], Call]]:
    """Give what has a child process ready for a step; the process ends with the block."""
    child = WarmChild(step, settings, show, run)
    try:
        yield child.ready
    finally:
        child.close()


def _follow(child: _Child) -> Any:
    while True:
        _let_go_on(child)
        if not child.pipe.poll(POLL_SECONDS):
            if _has_ended(child.process) and not child.pipe.poll(0):
                raise _died(child)
            continue
        try:
            kind, value = child.pipe.recv()
        except (EOFError, OSError):
            raise _died(child) from None
        if kind == in_child.LOG:
            logging.getLogger(value["name"]).handle(logging.makeLogRecord(value))
        elif kind == in_child.PRINTED:
            name, text = value
            child.show(name, child.run.mask(text))
        elif kind == in_child.PROGRESS:
            child.run.on_progress(*value)
        elif kind == in_child.RETURNED:
            child.answered = True
            return value
        else:
            child.answered = True
            raise _as_error(*value)


def _has_ended(process: BaseProcess) -> bool:
    """Whether a process has ended; its number stays its own. A forked child of another task may hold its pipes open."""
    assert process.pid is not None
    try:
        return os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
    except ChildProcessError:  # whoever starts a process takes note of all that have ended
        return True


def _let_go_on(child: _Child) -> None:
    """Raise if the child's time is over; tell it if the run is asked to stop."""
    try:
        child.run.check()
    except Cancelled as exc:
        now = time.monotonic()
        if child.stop_until is None:
            child.stop_until = now + child.grace_seconds
            with contextlib.suppress(OSError):
                said = type(exc).__name__, str(exc)
                child.pipe.send(said if child.stop_word is None else (child.stop_word, said))
        if now >= min(child.stop_until, child.run.deadline):
            raise


def _died(child: _Child) -> JanitorError:
    _end(child, KILL_AFTER_SECONDS)
    if child.process.exitcode == -signal.SIGTERM:
        # A supervisor may send it to every process at once: then the parent's own signal is on its way.
        child.run.stop.wait(STOP_SECONDS)
        child.run.check()
    return ChildFailed(f"its process ended without a result, exit code {child.process.exitcode}")


def _as_error(name: str, text: str, raised: tuple[Raised, ...]) -> JanitorError:
    leaf = next((leaf for leaf in LEAVES if leaf.__name__ == name), None)
    return ChildFailed(text, raised) if leaf is None else leaf(text)


def _end(child: _Child, seconds: float) -> None:
    """Let the process end by itself for `seconds`, then kill it and all that it started, and see that it is gone."""
    process = child.process
    if process.pid is None or child.gone:
        return
    wait([process.sentinel], seconds)
    # Its number is not free for others before `join`, so the group is surely its own.
    with contextlib.suppress(ProcessLookupError):  # it has no session of its own yet
        os.killpg(process.pid, signal.SIGKILL)
    process.kill()
    process.join()
    child.gone = True
