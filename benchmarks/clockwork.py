"""Daemons in processes of their own: the real daemon with its four jobs, and clocks with many small jobs."""

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
    """A process that was started at `at` (seconds since 1970), and its folder."""

    process: "subprocess.Popen[bytes]"
    at: float
    folder: Path

    def stop(self) -> None:
        """Ask it to stop, and wait until it has stopped.

        Raises:
            Failed: it did not stop in time, or ended badly; it is gone all the same.
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
        """Return the end of its output."""
        return (self.folder / "log").read_text(encoding="utf-8", errors="replace")[-2000:]

    def rows(self, query: str) -> list[Any]:
        """Read its state database; return nothing if it is not there yet."""
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
def process(
    folder: Path, arguments: Sequence[str], environment: Mapping[str, str], state_url: str = ""
) -> Iterator[Started]:
    """Run `python arguments...` during a block; its output goes to `log` in the folder.

    Its state is at `state_url`, or in the folder if that is empty, whatever the environment says.
    """
    state_url = state_url or f"sqlite:///{folder / 'state.db'}"
    own = {"STATE_DATABASE_URL": state_url, "HEARTBEAT_FILE": str(folder / "heartbeat")}
    variables = {**os.environ, **environment, **own, "PYTHONPATH": str(ROOT)}
    with (folder / "log").open("ab") as log:
        at = time.time()
        # Its own folder has no .env: only what is given here counts.
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
    """Run the real daemon with its four jobs, on a copy of the house's state; no job has a slot in it yet."""
    with house.daemon():
        pass
    with tempfile.TemporaryDirectory(prefix="janitor-benchmarks-") as name:
        folder = Path(shutil.copytree(house.folder, name, dirs_exist_ok=True))
        with process(folder, [str(ROOT / "run.py"), "start"], house.environment()) as started:
            yield started


@contextmanager
def empty_folder() -> Iterator[Path]:
    """Give an empty folder; it is gone after the block."""
    with tempfile.TemporaryDirectory(prefix="janitor-benchmarks-") as folder:
        yield Path(folder)


def wait_for(condition: Callable[[], Any], seconds: float, pause: float = 0.05) -> Any:
    """Wait for the condition's first true value, and return it.

    Raises:
        Failed: there was none within so many seconds.
    """
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if found := condition():
            return found
        time.sleep(pause)
    raise Failed(f"what was waited for did not come within {seconds:g} s")


def seconds_since_1970(text: str) -> float:
    """Return a moment of the state database (naive UTC) as seconds since 1970."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()
