"""The end of the process: it comes in time, whatever threads tasks have left.

    SIGTERM          the grace begins; the daemon stops in order     stopping.py
    + grace          the runs are over, or cut off
    the main thread  ends; Python waits for threads that tasks left, those of pools too
    + grace          is over for those threads too: the process ends without them
    + 2.4 s          ends the process even if the stop itself hangs, or what comes after it
    + 3 s            the process is gone

Private part, and why: `threading._register_atexit`, since nothing else is told that the main thread has ended. What
`atexit` calls comes only after the wait for threads. No benchmark pays for it: the promise does.
`tests/engine/test_leaving.py` fails if Python changes it.
"""

import logging
import multiprocessing
import os
import signal
import sys
import threading
import time
from contextlib import suppress
from queue import SimpleQueue
from types import TracebackType
from typing import Self

from janitor.runs.threads import left_threads

log = logging.getLogger(__name__)

STOP_SECONDS = 2.4
"""How long after the grace the stop itself may take.

With the two times below it is under 3 s: Kubernetes kills after 30 s, and the usual grace is 25 s.
"""
LEAST_SECONDS = 0.2
"""How long Python may take to end by itself if no thread holds it up."""
LAST_SECONDS = 0.3
"""How long the last words may take: a task may hold the lock of a log handler."""


class Leaving:
    """Ends the process once its main thread has ended, within the grace; for a process that is a daemon's own.

    Inside the block the daemon runs. A program that goes on after the block is left alone until it ends. If the program
    `ends_soon` after the block, that has to be over in time too: its last words may wait for whoever reads them.
    """

    def __init__(self, grace_seconds: float, ends_soon: bool = False) -> None:
        """Nothing ends before `begin`."""
        self._grace_seconds, self._ends_soon = grace_seconds, ends_soon
        self._stopped, self._main_ended = threading.Event(), threading.Event()
        # Unlike an event, a queue may be filled by a signal's handler whatever the main thread does at that moment.
        self._begins: SimpleQueue[float] = SimpleQueue()
        self._code = 0

    def __enter__(self) -> Self:
        """Begin the block."""
        threading.Thread(target=self._watch, name="leaving", daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the block: the daemon has stopped."""
        self._code = self._code if error is None else 1
        self._stopped.set()

    def begin(self, code: int = 0) -> None:
        """The process begins to stop: its grace begins, unless it has begun already; also from a signal's handler.

        `code` is its exit code if threads are left at its end.
        """
        self._code = code
        # Only now: what is registered last is called first, and what a task has registered may take long.
        with suppress(RuntimeError):  # the main thread has ended already
            threading._register_atexit(self._main_ended.set)  # type: ignore[attr-defined]
        self._begins.put(time.monotonic() + self._grace_seconds)

    def _watch(self) -> None:
        until = self._begins.get()
        over = until + STOP_SECONDS
        if self._stopped.wait(_seconds_to(over)) and self._main_ended.wait(
            _seconds_to(over) if self._ends_soon else None
        ):
            time.sleep(max(LEAST_SECONDS, _seconds_to(until)))
        self._end()

    def _end(self) -> None:
        for child in multiprocessing.active_children():
            # Like that of a job, it may lead a group of its own, with all that it has started.
            with suppress(OSError, TypeError):
                if os.getpgid(child.pid) == child.pid:  # type: ignore[arg-type]  # it has begun, so it has a number
                    os.killpg(child.pid, signal.SIGKILL)
            child.kill()
        with suppress(RuntimeError):  # there is no thread to be had
            last = threading.Thread(target=_say_last_words, daemon=True)
            last.start()
            last.join(LAST_SECONDS)
        os._exit(self._code)


def _seconds_to(moment: float) -> float:
    return max(0.0, moment - time.monotonic())


def _say_last_words() -> None:
    left = ", ".join(sorted(f"{thread.name} of {job}" for thread, job in left_threads()))
    log.warning("the process ends now; threads left at work: %s", left or "none that a run began")
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError, AttributeError):
            stream.flush()
    logging.shutdown()
