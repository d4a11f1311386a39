"""The command line as people use it: real processes, in a folder of their own."""

import json
import os
import pwd
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.desk import begun

USER = pwd.getpwuid(os.getuid()).pw_name
"""Who types here, as the machine knows it; `LOGNAME` says something else."""
ROOT = Path(__file__).resolve().parent.parent
WAIT_SECONDS = 60


@dataclass(frozen=True)
class Ended:
    """A process that ended."""

    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[str]:
        """The lines that it printed to stdout."""
        return self.out.splitlines()

    @property
    def rows(self) -> list[dict[str, str]]:
        """The tab-separated lines that it printed, each as a dictionary with the first line's names."""
        names, *rows = (line.split("\t") for line in self.lines)
        return [dict(zip(names, row, strict=True)) for row in rows]

    @property
    def json(self) -> Any:
        """What it printed, as JSON."""
        return json.loads(self.out)


@dataclass(frozen=True)
class CommandLine:
    """Runs a program's verbs in `folder`; the environment has only what is needed, and `environment`."""

    folder: Path
    program: tuple[str, ...] = (str(ROOT / "run.py"),)
    environment: Mapping[str, str] = field(default_factory=dict)

    def __call__(self, *arguments: str, **environment: str) -> Ended:
        """Run a verb to its end."""
        with self.started(*arguments, **environment) as process:
            out, err = process.communicate(timeout=WAIT_SECONDS)
        return Ended(process.returncode, out, err)

    @contextmanager
    def started(self, *arguments: str, **environment: str) -> Iterator["subprocess.Popen[str]"]:
        """Run a verb during the block; if it still runs after that, it is killed."""
        process = begun(self.program, typed(arguments), self.folder, self.whole(environment))
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()
                process.communicate()

    def stopped(self, process: "subprocess.Popen[str]", number: int = signal.SIGTERM) -> Ended:
        """Send a signal to a started process, and wait until it has ended."""
        assert process.stdout is not None and process.stderr is not None
        process.send_signal(number)
        with ThreadPoolExecutor(2) as beside:
            # Unlike `communicate`, they give the lines too that were read ahead of a `readline`.
            out, err = beside.submit(process.stdout.read), beside.submit(process.stderr.read)
            try:
                process.wait(WAIT_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                raise
        return Ended(process.returncode, out.result(), err.result())

    def heard(self, process: "subprocess.Popen[str]", text: str) -> str:
        """Read what a started process prints, up to the line with `text`, and return it."""
        assert process.stdout is not None
        read = ""
        while line := process.stdout.readline():
            read += line
            if text in line:
                return read
        raise AssertionError(f"it ended before it said {text!r}: {read}")

    def whole(self, environment: Mapping[str, str]) -> dict[str, str]:
        """Return the environment of a process."""
        kept = {name: os.environ[name] for name in os.environ if name in ("PATH", "HOME", "TZ") or "COV" in name}
        own = {"PYTHONPATH": str(ROOT), "LOGNAME": "the_boss", "WEB_ENABLED": "false"}
        return kept | {**own, **self.environment, **environment}


def typed(arguments: Sequence[str]) -> Sequence[str]:
    """The arguments as typed; a run also makes the state database, as most tests begin in an empty folder."""
    return [*arguments, "--new-state"] if "run" in arguments and "--help" not in arguments else arguments


def wait_for(true: Callable[[], Any]) -> Any:
    """Ask until the answer is true, and return it."""
    end = time.monotonic() + WAIT_SECONDS
    while not (answer := true()):
        assert time.monotonic() < end, "it did not come true"
        time.sleep(0.05)
    return answer
