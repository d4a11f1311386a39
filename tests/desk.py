"""A desk that starts programs: a process that has imported Janitor forks itself for each, instead of a start of Python.

    the suite                                        the desk
    program, arguments, folder, environment,
    where to print                           ─────>  forks; the fork is the program
                                             <─────  its process id
                                             <─────  its exit code, once it has ended

With --all and --faults, each program is a new process, as people start it; so is one whose environment says how Python
starts.
"""

import gc
import importlib
import json
import os
import runpy
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Any, TextIO

ROOT = Path(__file__).resolve().parent.parent
IMPORTED = (
    *("janitor.cli", "janitor.tasks.labware_location", "janitor.tasks.sequencing_publisher"),
    *("sqlalchemy.dialects.mysql.pymysql", "sqlalchemy.dialects.sqlite.pysqlite"),
)
OF_PYTHON = ("PYTHON", "LD_", "LC_", "LANG", "COV", "MALLOC")
"""What variables begin with that Python, the loader or the allocator reads as a process starts."""
MOST_BYTES = 2**20


class Desk:
    """The desk of this process; it is opened at its first use, and ends with this process."""

    def __init__(self) -> None:
        """Nothing is started yet."""
        self.closed = False
        self._asking, self._hearing = threading.Lock(), threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._line: socket.socket | None = None
        self._begun: list[int] = []
        self._codes: dict[int, int] = {}

    def begin(
        self,
        program: Sequence[str],
        arguments: Sequence[str],
        folder: Path,
        environment: Mapping[str, str],
        streams: tuple[int, int],
    ) -> int | None:
        """Start a program that prints to these file descriptors; its process id. None if it needs a real start."""
        if self.closed or not _is_plain(program, environment):
            return None
        asked = {"program": list(program), "arguments": list(arguments), "folder": str(folder)}
        with self._asking:
            line = self._opened()
            socket.send_fds(line, [json.dumps({**asked, "environment": dict(environment)}).encode()], streams)
            while not self._begun:
                # Another thread that waits for its program may take the answer.
                self._hear(0.1)
            return self._begun.pop()

    def code(self, pid: int, seconds: float) -> int | None:
        """The exit code of a program; None if it has not ended within `seconds`."""
        end = time.monotonic() + seconds
        while pid not in self._codes:
            left = end - time.monotonic()
            self._hear(max(0.0, min(left, 0.1)))
            if left <= 0:
                break
        return self._codes.get(pid)

    def close(self) -> None:
        """End the desk for good."""
        self.closed = True
        if self._process is not None and self._line is not None:
            self._line.close()
            self._process.wait()

    def _opened(self) -> socket.socket:
        if self._line is None:
            self._line, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.desk", str(theirs.fileno())],
                cwd=ROOT,
                env=os.environ | {"PYTHONPATH": str(ROOT)},
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                start_new_session=True,
            )
            theirs.close()
        return self._line

    def _hear(self, seconds: float) -> None:
        """Take note of what the desk says next, if it says something in time."""
        with self._hearing:
            if self._line is None or not select.select([self._line], [], [], seconds)[0]:
                return
            said = self._line.recv(MOST_BYTES)
            assert said, "the desk has ended"
            pid, code = json.loads(said)
            if code is None:
                self._codes.pop(pid, None)  # the number of an earlier program
                self._begun.append(pid)
            else:
                self._codes[pid] = code


class Begun:
    """A program that the desk has started; it is used as a `subprocess.Popen`."""

    def __init__(self, desk: Desk, pid: int, pipes: Sequence[TextIO]) -> None:
        """`pipes` are its stdout and its stderr; none if it prints into a file."""
        self.pid, self._desk = pid, desk
        self.stdout: TextIO | None = pipes[0] if pipes else None
        self.stderr: TextIO | None = pipes[1] if pipes else None

    @property
    def returncode(self) -> int | None:
        """Its exit code, if it has ended."""
        return self.poll()

    def poll(self) -> int | None:
        """Its exit code, if it has ended."""
        return self._desk.code(self.pid, 0)

    def wait(self, timeout: float | None = None) -> int:
        """Wait until it has ended; its exit code."""
        code = self._desk.code(self.pid, 1e9 if timeout is None else timeout)
        if code is None:
            raise subprocess.TimeoutExpired(str(self.pid), timeout or 0)
        return code

    def send_signal(self, number: int) -> None:
        """Send it a signal, if it has not ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """Kill it."""
        self.send_signal(signal.SIGKILL)

    def communicate(self, timeout: float | None = None) -> tuple[str, str]:
        """Read all that it prints, and wait until it has ended."""
        read = [_reading(stream) for stream in (self.stdout, self.stderr)]
        try:
            out, err = (text.result(timeout) for text, _ in read)
        except TimeoutError:
            raise subprocess.TimeoutExpired(str(self.pid), timeout or 0) from None
        for _, thread in read:
            thread.join()
        self.wait(timeout)
        return out, err


def begun(
    program: Sequence[str],
    arguments: Sequence[str],
    folder: Path,
    environment: Mapping[str, str],
    output: int | None = None,
) -> "subprocess.Popen[str]":
    """Start a program of Python, at the desk if it may; it prints into `output`, or into two pipes."""
    pipes = [os.pipe() for _ in range(2)] if output is None else []
    stdout, stderr = [theirs for _, theirs in pipes] if output is None else [output, output]
    pid = desk.begin(program, arguments, folder, environment, (stdout, stderr))
    for _, theirs in pipes:
        os.close(theirs)
    if pid is None:
        for ours, _ in pipes:
            os.close(ours)
        out = subprocess.PIPE if output is None else output
        command = [sys.executable, *program, *arguments]
        return subprocess.Popen(command, cwd=folder, env=environment, stdout=out, stderr=out, text=True)
    made: Any = Begun(desk, pid, [open(ours, encoding="utf-8") for ours, _ in pipes])
    return made  # type: ignore[no-any-return]


def _reading(stream: TextIO | None) -> "tuple[Future[str], threading.Thread]":
    """Read a stream to its end, in a thread that nobody waits for at the end of the suite."""
    read: Future[str] = Future()

    def go() -> None:
        try:
            with stream or open(os.devnull) as opened:
                read.set_result(opened.read())
        except ValueError as exc:
            read.set_exception(exc)

    thread = threading.Thread(target=go, daemon=True)
    thread.start()
    return read, thread


def _is_plain(program: Sequence[str], environment: Mapping[str, str]) -> bool:
    if len(program) != (2 if program[0] == "-m" else 1) or program[0] != "-m" and program[0].startswith("-"):
        return False
    of_python = [name for name in environment if name.startswith(OF_PYTHON)]
    return of_python == ["PYTHONPATH"] and environment["PYTHONPATH"] == str(ROOT)


def serve(line: socket.socket) -> None:
    """Be the desk: fork for each message, and say what the fork's id is, and how it has ended."""
    for name in IMPORTED:
        importlib.import_module(name)
    gc.freeze()
    ends: dict[int, int] = {}
    while True:
        for ready in select.select([line.fileno(), *ends], [], [])[0]:
            if ready != line.fileno():
                pid = ends.pop(ready)
                os.close(ready)
                line.send(json.dumps([pid, os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])]).encode())
                continue
            asked, streams, _, _ = socket.recv_fds(line, MOST_BYTES, 2)
            if not asked:
                return
            pid = os.fork()
            if pid == 0:
                line.close()
                for descriptor in ends:
                    os.close(descriptor)
                _become(streams=streams, **json.loads(asked))
                return
            for descriptor in streams:
                os.close(descriptor)
            ends[os.pidfd_open(pid)] = pid
            line.send(json.dumps([pid, None]).encode())


def _become(
    program: list[str], arguments: list[str], folder: str, environment: dict[str, str], streams: list[int]
) -> None:
    """Be the program, as if it had just been started."""
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    time.tzset()
    for number, descriptor in enumerate([os.open(os.devnull, os.O_RDONLY), *streams]):
        os.dup2(descriptor, number)
        os.close(descriptor)
    sys.stdin = sys.__stdin__ = open(0, encoding="utf-8", closefd=False)  # type: ignore[misc]
    sys.stdout = sys.__stdout__ = open(1, "w", encoding="utf-8", closefd=False)  # type: ignore[misc]
    sys.stderr = sys.__stderr__ = open(  # type: ignore[misc]
        2, "w", 1, encoding="utf-8", errors="backslashreplace", closefd=False
    )
    importlib.invalidate_caches()
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
    serve(socket.socket(fileno=int(sys.argv[1])))
