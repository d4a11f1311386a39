"""Who may start and end a server of the tests: nobody, if it was given by URL; else the suite."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar, NoReturn

import pytest

from tests.servers.process import Process


class Server:
    """A server that was given by URL: it runs already, and a test that would stop it is skipped.

    `OwnServer` says what is different for a server of the suite's own.
    """

    kind: ClassVar[str]
    """What the server is, for the reason of a skipped test."""

    def start(self) -> None:
        """Do nothing: a given server runs already."""

    def stop(self) -> None:
        """Skip the test."""
        self.skip()

    def kill(self) -> None:
        """Skip the test."""
        self.skip()

    def close(self) -> None:
        """Do nothing: a given server is not ours to stop."""

    @contextmanager
    def stopped(self) -> Iterator[None]:
        """Stop the server during a block; after the block it answers again."""
        self.stop()
        try:
            yield
        finally:
            self.start()

    @contextmanager
    def killed(self) -> Iterator[None]:
        """Kill the server, and leave it dead during a block; after the block it answers again."""
        self.kill()
        try:
            yield
        finally:
            self.start()

    def skip(self) -> NoReturn:
        """Skip the test: it needs a server of the suite's own."""
        pytest.skip(f"this test needs a {self.kind} of the suite's own, and one was given by URL")


class OwnServer(Server):
    """A server of the suite's own: a process, with all its files in `folder`."""

    folder: Path
    process: Process

    def start(self) -> None:
        """Start it if it does not run, and wait until it answers."""
        self.process.start()

    def stop(self) -> None:
        """Stop it in good order; after start() all that it has to keep is there again."""
        self.process.stop(expected_returncode=0)

    def kill(self) -> None:
        """End its processes at once, as a crash does."""
        self.process.kill()

    def close(self) -> None:
        """End it and remove its folder."""
        self.process.end()
        shutil.rmtree(self.folder, ignore_errors=True)
