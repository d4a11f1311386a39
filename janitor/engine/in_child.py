"""A task in a child process, as seen from inside: its run, its log, and its one message from the parent."""

import logging
import multiprocessing
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from logging.handlers import QueueHandler
from multiprocessing.connection import Connection
from typing import Any, Self, TextIO

from janitor import databases
from janitor.databases.sqlite_sessions import Inode
from janitor.errors import Cancelled, Fenced, Interrupted, JanitorError, is_a, name_of, summary, text_of
from janitor.guard import foreign_code
from janitor.jobs.result_texts import Keeps
from janitor.jobs.returned import call
from janitor.logs import tracebacks
from janitor.logs.captured import capture
from janitor.logs.mask import Mask, mask_for
from janitor.logs.masked_stream import MaskedStream
from janitor.logs.output import Output
from janitor.logs.set_up import format_of_lines, quieten
from janitor.logs.stand_in import Gathering
from janitor.runs import Fence, Run, bounds, running
from janitor.runs.bounds import shortened
from janitor.runs.forks import EndsHereInChildren, keep_from_children
from janitor.runs.threads import follow_into_threads
from janitor.settings.settings import Settings
from janitor.state import State
from janitor.state.database import clock_of
from janitor.state.raised import Raised

LOG, PRINTED, PROGRESS, RETURNED, RAISED = "log", "printed", "progress", "returned", "raised"
"""The kinds of messages to the parent."""
LOOK_SECONDS = 1.0
"""How often a child looks whether its parent is there."""
KEPT_OF_A_RECORD = ("name", "levelno", "levelname", "pathname", "lineno", "created", "msg", "args")
"""What is sent of a log record; the rest may hold what cannot be sent."""


@dataclass(frozen=True)
class About:
    """What a run is made from again in another process; `remaining_seconds` is until its deadline.

    `clock_zero` is what is known of the state database's clock.
    """

    id: int
    job: str
    slot_at: datetime | None
    started_at: datetime
    dry_run: bool
    timeout_seconds: float
    attempt: int
    remaining_seconds: float
    holder: str
    fences: dict[str, Fence]
    used: dict[str, int]
    clock_zero: datetime | None
    state_file: Inode | None = None

    @classmethod
    def of(cls, run: Run) -> Self:
        """The facts of a run."""
        return cls(
            id=run.id,
            job=run.job,
            slot_at=run.slot_at,
            started_at=run.started_at,
            dry_run=run.dry_run,
            timeout_seconds=run.timeout_seconds,
            attempt=run.attempt,
            remaining_seconds=run.remaining_seconds,
            holder=run.holder,
            fences=dict(run.fences),
            used=dict(run.used),
            clock_zero=None if run.state is None else run.state.clock.zero,
            state_file=run.state.file if isinstance(run.state, State) else None,
        )


@dataclass(frozen=True)
class Task:
    """The task's function, and what to call it with."""

    function: Callable[..., object]
    arguments: Sequence[Any]
    keywords: Mapping[str, Any]
    keeps_result: Keeps


class Line:
    """The way to the parent; a message is in the pipe once `send` returns, from any thread."""

    def __init__(self, pipe: Connection) -> None:
        """Nothing is sent yet."""
        self._pipe, self._sending = pipe, threading.Lock()

    def send(self, kind: str, value: object) -> None:
        """Send a message."""
        with self._sending:
            self._pipe.send((kind, value))

    def put_nowait(self, record: logging.LogRecord) -> None:
        """Send a log record, as a QueueHandler puts it."""
        self.send(LOG, {name: getattr(record, name) for name in KEPT_OF_A_RECORD})

    def report(self, path: tuple[str, ...], done: float, total: float | None, note: str) -> None:
        """Send a report of progress."""
        self.send(PROGRESS, (path, done, total, note))


class Sent(Gathering):
    """Stands in for `sys.stdout` or `sys.stderr`: the parent prints what is printed here, within the run."""

    def __init__(self, line: Line, name: str, stream: TextIO) -> None:
        """`stream` is for what is not printed: programs that the task starts write there."""
        super().__init__(stream)
        self._line, self._name = line, name

    def give(self, text: str) -> None:
        """Send what was printed."""
        self._line.send(PRINTED, (self._name, text))


class Traced(logging.Formatter):
    """A log line with its traceback as the parent keeps it: the parent cannot mask what is cut here."""

    def __init__(self, mask: Mask, variables: bool) -> None:
        """`variables` keeps local variables with tracebacks."""
        super().__init__()
        self.mask, self._variables = mask, variables

    def formatException(self, ei: Any) -> str:  # noqa: N802  # the standard library's name
        """The traceback of an error."""
        return "" if ei[1] is None else tracebacks.render(ei[1], self.mask, self._variables).rstrip()

    def raised(self, error: BaseException) -> tuple[Raised, ...]:
        """An error as data; only its variables are masked."""
        return capture(error, self.mask, self._variables)


def main(pipe: Connection, settings: Settings, about: About, task: Task) -> None:
    """Be the child: call the task, and send what it returns or raises."""
    line, traced = begin(pipe, settings)
    run = run_of(about, settings, line, traced.mask)
    threading.Thread(target=_listen, args=(pipe, run), daemon=True).start()
    with running(run):
        # The parent tells of every error, SystemExit too.
        with foreign_code(partial(report, line, traced), BaseException):
            with EndsHereInChildren():
                returned = call(partial(task.function, *task.arguments, **task.keywords), task.keeps_result)
            print_rest()
            line.send(RETURNED, returned)


def begin(pipe: Connection, settings: Settings) -> tuple[Line, Traced]:
    """Become a child: log and print to the parent, and end with it."""
    mask = mask_for(settings)
    line, traced = Line(keep_from_children(pipe, lambda own: [own.fileno()])), Traced(mask, settings.traceback_locals)
    _set_up(line, traced, settings)
    os.register_at_fork(after_in_child=partial(_log_in_forked_child, settings, mask))
    return line, traced


def print_rest() -> None:
    """Send what was printed and is not sent yet."""
    sys.stdout.flush()
    sys.stderr.flush()


def report(line: Line, traced: Traced, error: BaseException) -> None:
    """Send what a task has raised."""
    print_rest()
    text = text_of(error) if is_a(error, JanitorError) else summary(error)
    line.send(RAISED, (name_of(error), shortened(traced.mask(text), bounds.REASON), traced.raised(error)))


def run_of(about: About, settings: Settings, line: Line, mask: Mask) -> Run:
    """The run that a child is part of."""
    url = settings.state_database_url
    return Run(
        id=about.id,
        job=about.job,
        slot_at=about.slot_at,
        started_at=about.started_at,
        dry_run=about.dry_run,
        deadline=time.monotonic() + about.remaining_seconds,
        timeout_seconds=about.timeout_seconds,
        attempt=about.attempt,
        fences=about.fences,
        state=State(
            url,
            settings.connect_timeout_seconds,
            settings.login,
            file=about.state_file,
            clock=clock_of(url, about.clock_zero),
        ),
        holder=about.holder,
        used=about.used,
        on_progress=line.report,
        mask=mask,
    )


def _set_up(line: Line, traced: Traced, settings: Settings) -> None:
    # A session of its own: Ctrl-C in a terminal is the parent's to handle, and what the task starts is killed with it.
    os.setsid()
    # So it may have children, made in the way that is usual on this Python, as in a program of its own.
    multiprocessing.current_process().daemon = False
    multiprocessing.set_start_method(None, force=True)
    handler = QueueHandler(line)  # type: ignore[arg-type]  # of a queue it calls put_nowait alone
    handler.setFormatter(traced)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(settings.log_level)
    for name, stream in (("stdout", sys.stdout), ("stderr", sys.stderr)):
        setattr(sys, name, Sent(line, name, stream or open(os.devnull, "w", encoding="utf-8")))
    quieten()
    follow_into_threads()
    threading.Thread(target=_die_with_parent, daemon=True).start()
    limits = databases.Limits(settings.statement_timeout_seconds, settings.connect_timeout_seconds)
    databases.configure(limits, settings.login)


def _log_in_forked_child(settings: Settings, mask: Mask) -> None:
    """Only the process itself may write to its parent; what its children log and print goes to stderr and stdout."""
    output = Output(sys.__stderr__ or open(os.devnull, "w", encoding="utf-8"))
    output.setFormatter(format_of_lines(settings, mask))
    logging.getLogger().handlers[:] = [output]
    for name in ("stdout", "stderr"):
        if (stream := getattr(sys, f"__{name}__")) is not None:
            setattr(sys, name, MaskedStream(mask, stream))


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
        # Its pipe alone does not tell: a child that another task has forked holds it open.
        while os.getppid() == parent.pid and parent.is_alive():
            parent.join(LOOK_SECONDS)
        os.killpg(0, signal.SIGKILL)
