"""A task in a child process, which is killed when its time is over and dies with its parent."""

import logging
import multiprocessing
import os
import threading
import time
import traceback
from datetime import datetime, timezone
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
)
from janitor.jobs import Job
from janitor.logs import RunLog, mask_for
from janitor.runs import Fence, Run, running
from janitor.settings import Settings
from janitor.state import State
from janitor.state.logs import LogLine

POLL_SECONDS = 0.1
KILL_AFTER_SECONDS = 2.0
LEAVES = (Cancelled, DeadlineExceeded, Fenced, Interrupted, Rejected, Skip, StatementTimeout, Unavailable)
"""The errors that mean the same in the parent as in the child; the traceback of any other one comes along."""


class ChildFailed(JanitorError):
    """Raised when a task failed in its child process; carries the traceback from there."""

    def __init__(self, reason: str, child_traceback: str | None = None) -> None:
        super().__init__(reason)
        self.child_traceback = child_traceback


def call(job: Job, run: Run, settings: Settings, run_log: RunLog) -> dict[str, Any] | None:
    """Run the job's task in a fresh interpreter; its counts.

    Raises:
        DeadlineExceeded: its time was over and it was killed.
        Interrupted, Cancelled: it was asked to stop, and killed.
        ChildFailed: it raised, or died.
    """
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    about = {"id": run.id, "job": run.job, "slot_at": run.slot_at, "started_at": run.started_at, "dry_run": run.dry_run}
    about |= {"holder": run.holder, "timeout_seconds": run.timeout_seconds, "attempt": run.attempt, "remaining": run.remaining_seconds}
    fences = [(fence.name, fence.token) for fence in run.fences.values()]
    task = (job.func, tuple(job.args), dict(job.kwargs))
    process = context.Process(target=_in_child, args=(theirs, settings, about, fences, task), daemon=True)
    process.start()
    theirs.close()
    try:
        return _follow(ours, process, run, run_log)
    finally:
        _end(process)
        ours.close()


def _follow(pipe: Connection, process: BaseProcess, run: Run, run_log: RunLog) -> dict[str, Any] | None:
    while True:
        run.check()
        if not pipe.poll(POLL_SECONDS):
            if not process.is_alive() and not pipe.poll(0):
                raise ChildFailed(f"its process ended without a result, exit code {process.exitcode}")
            continue
        try:
            kind, value = pipe.recv()
        except EOFError:
            process.join(KILL_AFTER_SECONDS)
            raise ChildFailed(f"its process ended without a result, exit code {process.exitcode}") from None
        if kind == "log":
            run_log.keep(LogLine(run.id, *value))
        elif kind == "progress":
            run.on_progress(*value)
        elif kind == "returned":
            counts: dict[str, Any] | None = value
            return counts
        else:
            raise _as_error(*value)


def _as_error(name: str, text: str, trace: str) -> JanitorError:
    leaf = next((leaf for leaf in LEAVES if leaf.__name__ == name), None)
    return ChildFailed(text, trace) if leaf is None else leaf(text)


def _end(process: BaseProcess) -> None:
    if process.is_alive():
        process.terminate()
        process.join(KILL_AFTER_SECONDS)
    if process.is_alive():
        process.kill()
    process.join()


class _Sender(logging.Handler):
    """Sends log records to the parent, from any thread."""

    def __init__(self, pipe: Connection) -> None:
        super().__init__()
        self._pipe, self._pipe_lock = pipe, threading.Lock()

    def emit(self, record: logging.LogRecord) -> None:
        """Send one record."""
        at = datetime.fromtimestamp(record.created, timezone.utc)
        self.send("log", (at, record.levelname, record.name, record.getMessage()))

    def send(self, kind: str, value: object) -> None:
        """Send one message of any kind."""
        with self._pipe_lock:
            self._pipe.send((kind, value))


def _in_child(
    pipe: Connection, settings: Settings, about: dict[str, Any], fences: list[tuple[str, int]], task: tuple[Any, ...]
) -> None:
    sender = _Sender(pipe)
    root = logging.getLogger()
    root.handlers[:] = [sender]
    root.setLevel(settings.log_level)
    threading.Thread(target=_die_with_parent, daemon=True).start()
    databases.configure(databases.Limits(settings.statement_timeout_seconds, settings.connect_timeout_seconds))
    remaining = about.pop("remaining")
    run = Run(**about, deadline=time.monotonic() + remaining, state=State(settings.state_database_url))
    run.fences = {name: Fence(name, token) for name, token in fences}
    run.on_progress = lambda path, done, total, note: sender.send("progress", (path, done, total, note))
    function, arguments, keywords = task
    with running(run):
        try:
            returned = function(*arguments, **keywords)
            sender.send(
                "returned", {str(key): value for key, value in returned.items()} if isinstance(returned, dict) else None
            )
        except Exception as exc:
            mask = mask_for(settings)
            text = str(exc) if isinstance(exc, JanitorError) else f"{type(exc).__name__}: {exc}"
            sender.send("raised", (type(exc).__name__, mask(text), mask("".join(traceback.format_exception(exc)))))


def _die_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
