"""A real daemon on a jobs file that a test changes, with two files that it may have."""

import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import URL
from sqlalchemy.exc import DatabaseError

from janitor.errors import JanitorError
from janitor.state import State
from tests.command_line import CommandLine, wait_for
from tests.desk import begun
from tests.jobs_file.files import write
from tests.small_engine import outcomes

FIRST = (
    "jobs:\n  - {id: a, function: 'FUNCTIONS:skips', schedule: every 1s}\n  - {id: b, function: 'FUNCTIONS:skips'}\n"
)
SECOND = (
    "jobs:\n  - {id: a, function: 'FUNCTIONS:fails', schedule: every 1s}\n"
    "  - {id: c, function: 'FUNCTIONS:skips', schedule: every 1s}\n"
)


class House:
    """A daemon on a jobs file, and its state database."""

    def __init__(self, folder: Path, process: "subprocess.Popen[str]") -> None:
        self.folder, self.process = folder, process
        self.state = State(URL.create("sqlite", database=str(folder / "var" / "janitor.db")))

    def seen(self, job: str) -> set[str | None]:
        """Return the outcomes of a job's runs; none before the daemon has made the tables."""
        try:
            return set(outcomes(self.state, job))
        except (JanitorError, DatabaseError):
            return set()

    def change(self, text: str) -> None:
        """Write the file and send SIGHUP."""
        write(self.folder, text)
        self.process.send_signal(signal.SIGHUP)

    def says(self, words: str) -> None:
        """Wait until the daemon has logged these words."""
        wait_for(lambda: words in (self.folder / "log").read_text(encoding="utf-8"))


@contextmanager
def daemon(folder: Path, text: str, ends_with: signal.Signals = signal.SIGTERM, **environment: str) -> Iterator[House]:
    """Run a daemon on a jobs file during the block, and end it with SIGTERM, or with another signal."""
    write(folder, text)
    own = {"JOBS_FILE": "jobs.yaml", "LEASE_SECONDS": "2"} | environment
    line = CommandLine(folder, ("-m", "tests.jobs_file.bare"), own)
    with (folder / "log").open("w") as log:
        process = begun(line.program, (), folder, line.whole(environment), log.fileno())
        house = House(folder, process)
        try:
            house.says("leading with")
            yield house
            process.send_signal(ends_with)
            assert process.wait(30) == (0 if ends_with is signal.SIGTERM else -ends_with)
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
            house.state.close()
