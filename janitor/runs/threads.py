"""Threads that a run starts are part of the run: the one place that changes `threading.Thread`.

Python before 3.14 starts each thread in an empty context; from 3.14 on, `python -X thread_inherit_context=1` does what
this file does. A task's libraries start threads of their own, in pools for example. Without this change their lines
would be missing in the run's log, and their statements would know no deadline. There is no public hook for it.

A thread outside a run starts as ever; a thread of a run costs one copy of a context more. No benchmark pays for that:
the run's log does. A test fails if a Python starts threads in another way.
"""

import functools
import threading
from collections.abc import Callable
from contextvars import copy_context
from weakref import WeakKeyDictionary

from janitor.runs.run import current_run, is_running

MARK = "follows_runs"
"""The attribute of a `Thread.start` that was changed already."""
_begun: "WeakKeyDictionary[threading.Thread, str]" = WeakKeyDictionary()
"""The threads that runs began, each with its job."""


def follow_into_threads() -> None:
    """Let each thread that a run starts be part of the run, whichever library starts it; harmless if called twice."""
    if not hasattr(threading.Thread.start, MARK):
        threading.Thread.start = _following(threading.Thread.start)  # type: ignore[method-assign,assignment]


def left_threads() -> list[tuple[threading.Thread, str]]:
    """The threads at work that runs began, each with its job; their runs may be over."""
    return [(thread, job) for thread, job in list(_begun.items()) if thread.is_alive()]


def _following(plain_start: Callable[[threading.Thread], None]) -> Callable[[threading.Thread], None]:
    @functools.wraps(plain_start)
    def start(thread: threading.Thread) -> None:
        if is_running():
            _begun[thread] = current_run().job
            thread.run = functools.partial(copy_context().run, thread.run)  # type: ignore[method-assign]
        plain_start(thread)

    setattr(start, MARK, True)
    return start
