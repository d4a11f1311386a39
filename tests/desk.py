"""A desk that runs verbs: a process that has imported Janitor forks itself for each, which takes a tenth of a start.

    the suite                                        the desk
    program, arguments, folder, environment  ─────>  forks
                                                     the fork runs the program to its end; it prints into files
    reads the files                          <─────  the exit code

With --all, and while coverage is measured, each verb is a new process, as people start it; so is whatever runs on
beside a test, and whatever says in its environment how Python starts.
"""

import gc
import importlib
import json
import os
import runpy
import select
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from io import FileIO, TextIOWrapper
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
IMPORTED = (
    *("janitor.cli", "janitor.tasks.labware_location", "janitor.tasks.sequencing_publisher"),
    *("sqlalchemy.dialects.mysql.pymysql", "sqlalchemy.dialects.sqlite.pysqlite"),
)
OF_PYTHON = ("PYTHON", "LD_", "LC_", "LANG", "COV")
"""What variables begin with that Python or the loader reads as a process starts."""


class Desk:
    """The desk of this process; it is opened at its first use, and ends with this process."""

    def __init__(self) -> None:
        """Nothing is started yet."""
        self.closed = False
        self._using = threading.Lock()
        self._process: subprocess.Popen[str] | None = None

    def run(
        self,
        program: Sequence[str],
        arguments: Sequence[str],
        folder: Path,
        environment: Mapping[str, str],
        seconds: float,
    ) -> tuple[int, str, str] | None:
        """Run a program to its end; its exit code, stdout and stderr. None if it needs a process of its own.

        Raises:
            subprocess.TimeoutExpired: it did not end within `seconds`, and was killed.
        """
        if self.closed or not _is_plain(program, environment) or not self._using.acquire(blocking=False):
            return None
        try:
            with tempfile.TemporaryDirectory(prefix="janitor-desk-") as made:
                streams = [os.path.join(made, name) for name in ("out", "err")]
                asked = {"program": list(program), "arguments": list(arguments), "folder": str(folder)}
                code = self._ask({**asked, "environment": dict(environment), "streams": streams}, seconds)
                out, err = (Path(stream).read_text(encoding="utf-8") for stream in streams)
                return code, out, err
        finally:
            self._using.release()

    def _ask(self, asked: Mapping[str, Any], seconds: float) -> int:
        if self._process is None or self._process.poll() is not None:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.desk"],
                cwd=ROOT,
                env=os.environ | {"PYTHONPATH": str(ROOT)},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                start_new_session=True,
                text=True,
                bufsize=1,
            )
        process = self._process
        assert process.stdin is not None and process.stdout is not None
        process.stdin.write(json.dumps(asked) + "\n")
        process.stdin.flush()
        if not select.select([process.stdout], [], [], seconds)[0]:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            raise subprocess.TimeoutExpired(asked["arguments"], seconds)
        return int(process.stdout.readline())


def _is_plain(program: Sequence[str], environment: Mapping[str, str]) -> bool:
    if len(program) != (2 if program[0] == "-m" else 1) or program[0] != "-m" and program[0].startswith("-"):
        return False
    of_python = [name for name in environment if name.startswith(OF_PYTHON)]
    return of_python == ["PYTHONPATH"] and environment["PYTHONPATH"] == str(ROOT)


def serve() -> None:
    """Be the desk: fork for each line of stdin, and print how each fork has ended."""
    for name in IMPORTED:
        importlib.import_module(name)
    gc.freeze()
    for line in sys.stdin:
        asked = json.loads(line)
        pid = os.fork()
        if pid == 0:
            _become(**asked)
            return
        print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)


def _become(
    program: list[str], arguments: list[str], folder: str, environment: dict[str, str], streams: list[str]
) -> None:
    """Be the program, as if it had just been started."""
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    time.tzset()
    paths = [os.devnull, *streams]
    for number, path in enumerate(paths):
        opened = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND if number else os.O_RDONLY, 0o600)
        os.dup2(opened, number)
        os.close(opened)
    sys.stdin = sys.__stdin__ = TextIOWrapper(FileIO(0, closefd=False), encoding="utf-8")  # type: ignore[misc]
    sys.stdout = sys.__stdout__ = open(1, "w", encoding="utf-8", closefd=False)  # type: ignore[misc]
    sys.stderr = sys.__stderr__ = open(  # type: ignore[misc]
        2, "w", 1, encoding="utf-8", errors="backslashreplace", closefd=False
    )
    importlib.invalidate_caches()
    sys.orig_argv = [sys.executable, *program, *arguments]
    if program[0] == "-m":
        sys.path[0] = os.getcwd()
        sys.argv = ["-m", *arguments]
        runpy.run_module(program[1], run_name="__main__", alter_sys=True)
    else:
        sys.path[0] = os.path.dirname(program[0])
        sys.argv = [program[0], *arguments]
        runpy.run_path(program[0], run_name="__main__")


desk = Desk()
if __name__ == "__main__":
    serve()
