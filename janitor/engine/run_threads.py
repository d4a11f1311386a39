"""The threads of runs: at most so many, kept for the next run, each as new to it.

    a run is due    a thread is idle           it takes the run
                    fewer threads than most    a new thread takes it
                    else                       the run must wait: whoever asked is told no
    a run ends      its thread is idle; `on_free` may give it the next run at once
                    what the task did to the thread itself cannot be put back: that thread ends
    idle for long   the thread ends

Threads cost memory, and starting one costs more than most runs' own bookkeeping. A task that came to no safe point in
its time does not count: stuck tasks cannot use up all threads.
"""

import os
import signal
import sys
import threading
from collections import deque
from collections.abc import Callable
from contextvars import Context
from queue import Empty, SimpleQueue

Work = Callable[[], None]
KEEP_SECONDS = 30.0
"""How long a thread stays that has nothing to do."""


class RunThreads:
    """Threads that runs are given to; from any thread."""

    def __init__(
        self,
        most: int,
        on_free: Callable[[], None],
        stuck: Callable[[], int] = lambda: 0,
        keep_seconds: float = KEEP_SECONDS,
    ) -> None:
        """At most `most` threads are busy, and as many more as `stuck` tells. No thread is started yet."""
        self.most = most
        self._on_free, self._stuck, self._keep_seconds = on_free, stuck, keep_seconds
        self._lock = threading.Lock()
        self._idle: deque[SimpleQueue[Work]] = deque()
        self._busy = 0

    def give(self, work: Work) -> bool:
        """Let a thread do some work; False if all are busy.

        Raises:
            RuntimeError: no thread can be started.
        """
        with self._lock:
            if self._busy >= self.most and self._busy >= self.most + self._stuck():
                return False
            self._busy += 1
            idle = self._idle.pop() if self._idle else None
        if idle is not None:
            idle.put(work)
            return True
        try:
            self.start(lambda: self._do(work))
        except RuntimeError:
            self._leave(None)
            raise
        return True

    def start(self, work: Work) -> None:
        """Start a thread for one work alone; it is not counted.

        Raises:
            RuntimeError: no thread can be started.
        """
        threading.Thread(target=work, name="run", daemon=True).start()

    def _do(self, work: Work | None) -> None:
        mine: SimpleQueue[Work] = SimpleQueue()
        as_new = _state_of_thread()
        while work is not None:
            reusable = False
            try:
                # What a task puts into its context is not there for the next.
                Context().run(work)
                _forget_event_loop()
                reusable = _state_of_thread() == as_new
            finally:
                self._leave(mine if reusable else None)
            # A new thread would have what this one has, and take it for its own: if this one ends, the clock's next
            # tick sees that one is free.
            if not reusable:
                return
            self._on_free()
            work = self._next(mine)

    def _next(self, mine: "SimpleQueue[Work]") -> Work | None:
        """What the thread is given next; None if it has had nothing to do for long."""
        try:
            return mine.get(timeout=self._keep_seconds)
        except Empty:
            with self._lock:
                if mine in self._idle:
                    self._idle.remove(mine)
                    return None
        return mine.get()

    def _leave(self, idle: "SimpleQueue[Work] | None") -> None:
        with self._lock:
            self._busy -= 1
            if idle is not None:
                self._idle.append(idle)


def _state_of_thread() -> tuple[object, ...]:
    """What belongs to a thread alone, and a task may change: nobody else can put it back."""
    found = (signal.pthread_sigmask(signal.SIG_BLOCK, ()), sys.gettrace(), sys.getprofile())
    if sys.platform != "linux":
        return found
    # On Linux these are a thread's too.
    nice = os.getpriority(os.PRIO_PROCESS, threading.get_native_id())
    return *found, os.sched_getaffinity(0), os.sched_getscheduler(0), nice


def _forget_event_loop() -> None:
    """Take away an event loop that a task has set for its thread: it may be closed."""
    # Importing it costs more than all else at a start; who has not imported it has set no loop.
    if "asyncio" in sys.modules:
        sys.modules["asyncio"].set_event_loop(None)
