"""Daemons as processes of their own: started, signalled, read, and always ended."""

import os
import signal
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import URL

from tests.desk import begun
from tests.small_engine import PATIENCE_SECONDS, ROOT, eventually, text_of


class Daemon:
    """A process that runs `python -m MODULE`, with its output in a file."""

    def __init__(self, module: str, folder: Path, name: str, environment: Mapping[str, str]) -> None:
        self.output = folder / f"{name}.log"
        with self.output.open("ab") as output:
            own = {"HEARTBEAT_FILE": str(folder / f"{name}.heartbeat"), "PYTHONPATH": str(ROOT)}
            kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
            self._process = begun(("-m", module), (), ROOT, {**kept, **own, **environment}, output.fileno())
        self.pid = self._process.pid

    @property
    def text(self) -> str:
        """Its output so far."""
        return self.output.read_text(encoding="utf-8")

    @property
    def alive(self) -> bool:
        """Whether it runs; a frozen daemon counts as running."""
        return self._process.poll() is None

    def says(self, words: str, times: int = 1, seconds: float = PATIENCE_SECONDS) -> None:
        """Wait until these words are in its output so often; fail if it ends before."""
        eventually(lambda: self.text.count(words) >= times or not self.alive, words, seconds)
        ended = f"it ended with {self._process.returncode} instead:\n{self.text[-3000:]}"
        assert self.text.count(words) >= times, ended

    def send(self, number: int) -> None:
        """Send it a signal."""
        self._process.send_signal(number)

    def freeze(self) -> None:
        """Stop it with SIGSTOP, and return when each of its threads stands still.

        The signal waits until the thread that takes it gets a processor; until then, all other threads go on.
        """
        self.send(signal.SIGSTOP)
        eventually(lambda: set(self._states()) == {"T"}, "all its threads stand still")

    def _states(self) -> Iterator[str]:
        """The state of each thread, in the kernel's letters."""
        for stat in Path(f"/proc/{self.pid}/task").glob("*/stat"):
            yield stat.read_text(encoding="ascii", errors="replace").rpartition(") ")[2][0]

    def end(self, number: int = signal.SIGTERM, seconds: float = PATIENCE_SECONDS) -> int:
        """Send it a signal, wait for its end, and return its exit code."""
        self._process.send_signal(number)
        return self.wait(seconds)

    def wait(self, seconds: float = PATIENCE_SECONDS) -> int:
        """Wait for its end, and return its exit code."""
        return self._process.wait(seconds)

    def was_killed(self, seconds: float) -> bool:
        """Wait until it was killed; return False if it still runs or ended otherwise."""
        try:
            return self.wait(seconds) == -signal.SIGKILL
        except subprocess.TimeoutExpired:
            return False

    def close(self) -> None:
        """Kill it if it still runs."""
        if self.alive:
            self._process.kill()
            self._process.wait()


@contextmanager
def daemons(module: str, folder: Path, **environment: str) -> Iterator[Callable[..., Daemon]]:
    """Give a function that starts daemons on a state database; all are gone after the block."""
    made: list[Daemon] = []

    def start(url: URL, name: str = "daemon", **more: str) -> Daemon:
        settings = {
            "STATE_DATABASE_URL": text_of(url),
            "LEASE_SECONDS": "2",
            "GRACE_SECONDS": "3",
            "WEB_ENABLED": "false",
        }
        made.append(Daemon(module, folder, name, {**settings, **environment, **more}))
        return made[-1]

    try:
        yield start
    finally:
        for daemon in made:
            daemon.close()
