"""A loop: a duty in a thread of its own, done again and again until it is asked to stop."""

import threading

from janitor.loops.duty import Duty

LONGEST_SECONDS = 3600.0
"""After so long the duty is done, even if nothing happened: a wake that was lost costs an hour at most."""


class Loop:
    """A duty that a thread does when it is time, or when it is woken; the duty returns the seconds until then."""

    def __init__(self, duty: Duty[float | None], first: float | None = 0.0, at_end: bool = False) -> None:
        """Nothing is done before `start`.

        `first` is how many seconds pass before the first time, None: until it is woken. With `at_end` the duty is done
        once more when the loop is asked to stop.
        """
        self.duty, self._first, self._at_end = duty, first, at_end
        self._news, self._stop = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name=duty.name, daemon=True)

    def start(self) -> None:
        """Begin, in a thread of its own."""
        self._thread.start()

    def wake(self) -> None:
        """Let the duty be done now; a duty that just failed has its pause first."""
        self._news.set()

    def ask_to_stop(self) -> None:
        """Let the thread end after what it does now."""
        self._stop.set()
        self._news.set()

    def wait(self, seconds: float) -> None:
        """Wait so long for the thread to end."""
        if self._thread.is_alive():
            self._thread.join(seconds)

    def sleep(self, seconds: float) -> None:
        """Within the duty, wait so long; it ends at once if the loop is asked to stop."""
        self._stop.wait(seconds)

    @property
    def is_stopping(self) -> bool:
        """Whether it was asked to stop."""
        return self._stop.is_set()

    def _run(self) -> None:
        seconds = self._first
        while not self._stop.is_set():
            self._sleep(seconds)
            if not self._stop.is_set():
                seconds = self.duty.pause(self.duty.do())
        if self._at_end:
            self.duty.do()

    def _sleep(self, seconds: float | None) -> None:
        if self.duty.has_failed:
            self._stop.wait(seconds)
            return
        self._news.wait(LONGEST_SECONDS if seconds is None else min(seconds, LONGEST_SECONDS))
        # Cleared before the duty is done: what happens meanwhile has it done once more.
        self._news.clear()
