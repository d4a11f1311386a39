"""Daemons in processes of their own: the real one with its four jobs, and clocks with many trivial jobs."""

import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.house import House
from benchmarks.processes import ROOT, Failed

PATIENCE_SECONDS = 60.0


@dataclass
class Started:
    """A process that was started at `at` (seconds since 1970), and the folder in which it lives."""

    process: "subprocess.Popen[bytes]"
    at: float
    folder: Path

    def stop(self) -> None:
        """Ask it to stop, and wait until it has.

        Raises:
            Failed: it would not, or ended badly; it is gone all the same.
        """
        self.process.terminate()
        try:
            code = self.process.wait(PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise Failed(f"the process {self.process.args!r} did not stop within {PATIENCE_SECONDS:g} s") from None
        if code:
            raise Failed(f"the process {self.process.args!r} ended with {code}: {self.said()}")

    def said(self) -> str:
        """The end of what it has said."""
        return (self.folder / "log").read_text(encoding="utf-8", errors="replace")[-2000:]

    def rows(self, query: str) -> list[Any]:
        """Read its state database; nothing where that is not there yet."""
        if self.process.poll() is not None:
            raise Failed(f"the process {self.process.args!r} ended with {self.process.returncode}: {self.said()}")
        try:
            with closing(
                sqlite3.connect(f"file:{self.folder / 'state.db'}?mode=ro", uri=True, timeout=5)
            ) as connection:
                return connection.execute(query).fetchall()
        except sqlite3.OperationalError:
            return []


@contextmanager
def process(folder: Path, arguments: Sequence[str], environment: Mapping[str, str]) -> Iterator[Started]:
    """`python arguments...`, ended with the block; its output is in the folder's `log`."""
    own = {"STATE_DATABASE_URL": f"sqlite:///{folder / 'state.db'}", "HEARTBEAT_FILE": str(folder / "heartbeat")}
    variables = {**os.environ, **environment, **own, "PYTHONPATH": str(ROOT)}
    with (folder / "log").open("ab") as log:
        at = time.time()
        # In its own folder, where no .env is: only what is given here counts.
        made = subprocess.Popen([sys.executable, *arguments], cwd=folder, env=variables, stdout=log, stderr=log)
    started = Started(made, at, folder)
    try:
        yield started
        started.stop()
    finally:
        if made.poll() is None:
            made.kill()
            made.wait()


@contextmanager
def daemon(house: House) -> Iterator[Started]:
    """The real daemon with its four jobs, on a copy of the house's state, in which none of them has a slot yet."""
    with house.daemon():
        pass
    with tempfile.TemporaryDirectory(prefix="janitor-benchmarks-") as name:
        folder = Path(shutil.copytree(house.folder, name, dirs_exist_ok=True))
        with process(folder, [str(ROOT / "run.py"), "start"], house.environment()) as started:
            yield started


@contextmanager
def empty_folder() -> Iterator[Path]:
    """A folder for a while."""
    with tempfile.TemporaryDirectory(prefix="janitor-benchmarks-") as folder:
        yield Path(folder)


def wait_for(condition: Callable[[], Any], seconds: float, pause: float = 0.05) -> Any:
    """The condition's first true value.

    Raises:
        Failed: it had none within so many seconds.
    """
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if found := condition():
            return found
        time.sleep(pause)
    raise Failed(f"what was waited for did not come within {seconds:g} s")


def seconds_since_1970(text: str) -> float:
    """A moment of the state database, which is naive UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()
