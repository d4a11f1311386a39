"""A task in a child process, which is killed when its time is over and dies with its parent."""

import contextlib
import logging
import multiprocessing
import os
import signal
import threading
import time
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Any

from janitor import databases
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
    summary,
)
from janitor.jobs.job import Job
from janitor.jobs.returned import Returned, take
from janitor.logs import tracebacks
from janitor.logs.mask import mask_for
from janitor.logs.set_up import quieten
from janitor.runs import Run, follow_into_threads, running
from janitor.settings.settings import Settings
from janitor.state import State

POLL_SECONDS = 0.1
KILL_AFTER_SECONDS = 2.0
STOP_SECONDS = 1.0
LEAVES = (Cancelled, DeadlineExceeded, Fenced, Interrupted, Rejected, Skip, StatementTimeout, Unavailable)
"""The errors that mean the same in the parent as in the child; the traceback of any other one comes along."""


class ChildFailed(JanitorError):
    """Raised when a task failed in its child process; carries the traceback from there."""

    def __init__(self, reason: str, child_traceback: str | None = None) -> None:
        super().__init__(reason)
        self.child_traceback = child_traceback


def call(job: Job, run: Run, settings: Settings) -> Returned:
    """Run the job's task in a fresh interpreter, with its log and progress as if it ran here; what it returned.

    Asked to stop, it may come to its next safe point within the grace; it is killed after that, and at its deadline.

    Raises:
        DeadlineExceeded: its time was over.
        Interrupted, Cancelled: it was asked to stop.
        ChildFailed: it raised, or died.
    """
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    about = {"id": run.id, "job": run.job, "slot_at": run.slot_at, "started_at": run.started_at, "dry_run": run.dry_run}
    about |= {"timeout_seconds": run.timeout_seconds, "attempt": run.attempt, "remaining": run.remaining_seconds}
    about |= {"holder": run.holder, "fences": dict(run.fences), "used": dict(run.used)}
    task = (job.func, tuple(job.args), dict(job.kwargs), job.keeps_result)
    process = context.Process(target=_in_child, args=(theirs, settings, about, task), daemon=True)
    ended = False
    try:
        process.start()
        theirs.close()
        returned = _follow(_Parent(ours, process, run, settings.grace_seconds))
        ended = True
        return returned
    finally:
        _end(process, KILL_AFTER_SECONDS if ended else 0)
        ours.close()


@dataclass
class _Parent:
    """A child process, seen from the one that waits for it."""

    pipe: Connection
    process: BaseProcess
    run: Run
    grace_seconds: float
    stop_until: float | None = None


def _follow(parent: _Parent) -> Returned:
    while True:
        _let_go_on(parent)
        if not parent.pipe.poll(POLL_SECONDS):
            if not parent.process.is_alive() and not parent.pipe.poll(0):
                raise _died(parent)
            continue
        try:
            kind, value = parent.pipe.recv()
        except (EOFError, OSError):
            raise _died(parent) from None
        if kind == "log":
            logging.getLogger(value["name"]).handle(logging.makeLogRecord(value))
        elif kind == "progress":
            parent.run.on_progress(*value)
        elif kind == "returned":
            assert isinstance(value, Returned)
            return value
        else:
            raise _as_error(*value)


def _let_go_on(parent: _Parent) -> None:
    """Raise where the child's time is over; pass on to it that the run was asked to stop."""
    try:
        parent.run.check()
    except Cancelled as exc:
        now = time.monotonic()
        if parent.stop_until is None:
            parent.stop_until = now + parent.grace_seconds
            with contextlib.suppress(OSError):
                parent.pipe.send((type(exc).__name__, str(exc)))
        if now >= min(parent.stop_until, parent.run.deadline):
            raise


def _died(parent: _Parent) -> JanitorError:
    parent.process.join(KILL_AFTER_SECONDS)
    if parent.process.exitcode == -signal.SIGTERM:
        # A supervisor may send it to every process at once: then the parent's own is on its way.
        parent.run.stop.wait(STOP_SECONDS)
        parent.run.check()
    return ChildFailed(f"its process ended without a result, exit code {parent.process.exitcode}")


def _as_error(name: str, text: str, trace: str) -> JanitorError:
    leaf = next((leaf for leaf in LEAVES if leaf.__name__ == name), None)
    return ChildFailed(text, trace) if leaf is None else leaf(text)


def _end(process: BaseProcess, seconds: float) -> None:
    """Let the process end by itself for `seconds`, then end it, and see that it is gone."""
    if process.pid is None:
        return
    process.join(seconds)
    if process.is_alive():
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:  # it has not come so far as to have a session of its own
            process.kill()
    process.join()


class _Sender(logging.Handler):
    """Sends log records to the parent, from any thread."""

    def __init__(self, pipe: Connection, settings: Settings) -> None:
        super().__init__()
        self._pipe, self._pipe_lock = pipe, threading.Lock()
        self._settings = settings
        self._mask = mask_for(settings)

    def trace(self, error: BaseException | None) -> str:
        """An exception as the parent keeps it; it cannot mask what is cut here."""
        return "" if error is None else tracebacks.render(error, self._mask, self._settings.traceback_locals).rstrip()

    def emit(self, record: logging.LogRecord) -> None:
        """Send one record, as text: what it was made of may not be sent."""
        try:
            text = record.getMessage()
        except Exception:  # what every handler does with a call that logs wrongly: say so, and let the task go on
            self.handleError(record)
            return
        if record.exc_info:
            text += "\n" + self.trace(record.exc_info[1])
        kept = {"name": record.name, "levelno": record.levelno, "levelname": record.levelname}
        kept |= {"pathname": record.pathname, "lineno": record.lineno}
        self.send("log", kept | {"msg": text, "args": None, "created": record.created})

    def send(self, kind: str, value: object) -> None:
        """Send one message of any kind."""
        with self._pipe_lock:
            self._pipe.send((kind, value))


def _in_child(pipe: Connection, settings: Settings, about: dict[str, Any], task: tuple[Any, ...]) -> None:
    sender = _Sender(pipe, settings)
    _set_up(sender, settings)
    remaining = about.pop("remaining")
    run = Run(**about, deadline=time.monotonic() + remaining, state=State(settings.state_database_url))
    run.on_progress = lambda path, done, total, note: sender.send("progress", (path, done, total, note))
    threading.Thread(target=_listen, args=(pipe, run), daemon=True).start()
    function, arguments, keywords, keeps_result = task
    with running(run):
        try:
            sender.send("returned", take(function(*arguments, **keywords), keeps_result))
        except BaseException as exc:  # whatever it is, the parent tells it
            text = str(exc) if isinstance(exc, JanitorError) else summary(exc)
            sender.send("raised", (type(exc).__name__, text, sender.trace(exc)))


def _set_up(sender: _Sender, settings: Settings) -> None:
    # A session of its own: Ctrl-C in a terminal is the parent's to handle, and what the task starts is killed with it.
    os.setsid()
    root = logging.getLogger()
    root.handlers[:] = [sender]
    root.setLevel(settings.log_level)
    quieten()
    follow_into_threads()
    threading.Thread(target=_die_with_parent, daemon=True).start()
    databases.configure(databases.Limits(settings.statement_timeout_seconds, settings.connect_timeout_seconds))


def _listen(pipe: Connection, run: Run) -> None:
    """Take the parent's one message: stop at the next safe point."""
    try:
        name, text = pipe.recv()
    except (EOFError, OSError):
        return
    leaf = {"Interrupted": Interrupted, "Fenced": Fenced}.get(name, Cancelled)
    run.ask_to_stop(leaf(text))


def _die_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os.killpg(0, signal.SIGKILL)
