"""Daemons as processes of their own: started, signalled, listened to, and ended for certain."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import URL

from tests.small_engine import PATIENCE_SECONDS, ROOT, eventually, text_of


class Daemon:
    """One process that runs `python -m MODULE`; its output is in a file."""

    def __init__(self, module: str, folder: Path, name: str, environment: Mapping[str, str]) -> None:
        self.output = folder / f"{name}.log"
        with self.output.open("ab") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-m", module],
                cwd=ROOT,
                env={**os.environ, "HEARTBEAT_FILE": str(folder / f"{name}.heartbeat"), **environment},
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        self.pid = self._process.pid

    @property
    def text(self) -> str:
        """What it has said so far."""
        return self.output.read_text(encoding="utf-8")

    @property
    def alive(self) -> bool:
        """Whether it has not ended yet; a frozen one has not."""
        return self._process.poll() is None

    def says(self, words: str, times: int = 1, seconds: float = PATIENCE_SECONDS) -> None:
        """Wait until it has said something."""
        eventually(lambda: self.text.count(words) >= times or not self.alive, words, seconds)
        ended = f"it ended with {self._process.returncode} instead:\n{self.text[-3000:]}"
        assert self.text.count(words) >= times, ended

    def send(self, number: int) -> None:
        """Send it a signal."""
        self._process.send_signal(number)

    def end(self, number: int = signal.SIGTERM, seconds: float = PATIENCE_SECONDS) -> int:
        """Send it a signal and wait for its end; its exit code."""
        self._process.send_signal(number)
        return self.wait(seconds)

    def wait(self, seconds: float = PATIENCE_SECONDS) -> int:
        """Wait for its end; its exit code."""
        return self._process.wait(seconds)

    def was_killed(self, seconds: float) -> bool:
        """Wait until it has been killed; False where it still lives, or ended otherwise."""
        try:
            return self.wait(seconds) == -signal.SIGKILL
        except subprocess.TimeoutExpired:
            return False

    def close(self) -> None:
        """End it, where it lives."""
        if self.alive:
            self._process.kill()
            self._process.wait()


@contextmanager
def daemons(module: str, folder: Path, **environment: str) -> Iterator[Callable[..., Daemon]]:
    """Start daemons on one state database (the first argument); all are gone after the block."""
    made: list[Daemon] = []

    def start(url: URL, name: str = "daemon", **more: str) -> Daemon:
        settings = {"STATE_DATABASE_URL": text_of(url), "LEASE_SECONDS": "2", "GRACE_SECONDS": "3"}
        settings |= {"WEB_ENABLED": "false"}
        made.append(Daemon(module, folder, name, {**settings, **environment, **more}))
        return made[-1]

    try:
        yield start
    finally:
        for daemon in made:
            daemon.close()
