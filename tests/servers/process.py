"""A server's process: found, started on a free loopback port, and ended."""

import atexit
import contextlib
import os
import random
import shutil
import socket
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Self

import pytest
from mirakuru import TCPExecutor
from mirakuru.base import cleanup_subprocesses
from mirakuru.exceptions import ExecutorError

START_SECONDS = 60
# When a process ends that has imported mirakuru, it would kill each server whose mark holds the digits of its number in
# any place: by chance also those of other processes. Each server is ended by who started it.
atexit.unregister(cleanup_subprocesses)


def free_port() -> int:
    """Return a loopback port on which nothing listens now.

    The system never gives this port to an outgoing connection: so nobody takes it while its server is down.
    """
    chance = random.SystemRandom()
    while True:
        port = chance.randrange(15_000, 32_000)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


class Process(TCPExecutor):
    """A server's process, with its log in a file. It is ready once it answers; listening is not enough."""

    def __init__(self, command: Sequence[str], port: int, log: Path, environment: dict[str, str] | None = None) -> None:
        self._log = log
        self._log_file = log.open("ab")
        super().__init__(
            list(command),
            host="127.0.0.1",
            port=port,
            timeout=START_SECONDS,
            envvars=environment,
            stdout=self._log_file,
            stderr=subprocess.STDOUT,
        )
        self._owner = os.getpid()
        atexit.register(self._end_with_owner)

    def answers(self) -> bool:
        """Whether a client can log in."""
        return True

    def after_start_check(self) -> bool:
        """Whether the server is ready; mirakuru asks again until it is."""
        return super().after_start_check() and self.answers()

    def start(self) -> Self:
        """Start it and wait until it answers. If it does not, the test fails with the end of the server's log."""
        if self.running():
            return self
        self.kill()
        try:
            return super().start()
        except ExecutorError as exc:
            self.kill()
            pytest.fail(f"{self.command_parts[0]} did not start: {exc}\n{self._log.read_text()[-3000:]}")

    def end(self) -> None:
        """Kill it and close its log."""
        self.kill()
        self._log_file.close()
        atexit.unregister(self._end_with_owner)

    def __del__(self) -> None:
        """Kill it if nobody can end it any more. A fork that ends leaves it alone."""
        self._end_with_owner()

    def _end_with_owner(self) -> None:
        """Kill it if the process that started it ends, and has left it."""
        if os.getpid() == getattr(self, "_owner", None) and self.process is not None:
            self.kill()


def binary(name: str, package: str) -> str:
    """Find a program; the test fails if the Debian package is not installed."""
    found = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    if found is None:
        pytest.fail(f"{name} is not installed: the tests need Debian's package {package}.", pytrace=False)
    return found


def user_name() -> str:
    """Return the name of the user who runs the tests."""
    return subprocess.run(["id", "-un"], capture_output=True, text=True, check=True).stdout.strip()
