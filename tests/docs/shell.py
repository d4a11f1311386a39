"""A person at a shell: commands typed one after the other, and what each prints, compared with what a page shows."""

import os
import pty
import re
import select
import signal
import subprocess
import sys
import termios
import time
import tty
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.command_line import USER
from tests.docs.blocks import Command

WAIT_SECONDS = 30.0
COMMAND_SECONDS = 60.0
COLUMNS, LINES = 110, 50
END = "\x1e"
LOOKS = re.compile(
    r"(?:python (?:run\.py (?:health|history|jobs|notices|show|cursor|check)|look\.py)|cat|tail|grep|ls)\b"
)
ACTS = re.compile(r" (?:--set|--retry|--drop|--declare|test)\b")
VARIES = (
    (re.compile(r"\d{4}-\d\d-\d\d([T ])\d\d:\d\d:\d\d(?:[.,]\d+)?(Z?)"), "TIME"),
    (re.compile(r"\b\d+(?:\.\d+)? (?:s|ms)\b|\b\d+\.\d+s\b"), "SECONDS"),
    (re.compile(r"(?<![.\d])\d+\.\d{1,3}\b(?!\.)"), "SECONDS"),
    (re.compile(r"\b(INFO|WARNING|ERROR) janitor[.\w]*(?: \([\w/]+\.py:\d+\))?"), r"\1 LOGGER"),
    (re.compile(r"process \d+ on [\w.-]+"), "PROCESS"),
    (re.compile(r"\brun \d+\b"), "run NUMBER"),
    (re.compile(rf"\bby (?:anna|{re.escape(USER)})\b"), "by SOMEBODY"),
    (re.compile(r"─+"), "RULE"),
    (re.compile(r"\s+"), " "),
)


class Shell:
    """A bash in a folder; what its commands leave behind (variables, the folder, jobs) stays for the next command."""

    def __init__(self, process: "subprocess.Popen[bytes]", terminal: int) -> None:
        self._process = process
        self._terminal = terminal

    def type(self, command: str) -> tuple[list[str], int]:
        """Run a command to its end: the lines that it printed, and its exit code."""
        assert self._process.stdin is not None
        line = f"{{ {command}\n}} </dev/null\nprintf '{END}%s\\n' $?\n"
        self._process.stdin.write(line.encode())
        self._process.stdin.flush()
        printed = bytearray()
        while not printed.endswith(b"\n") or END.encode() not in printed:
            ready, _, _ = select.select([self._terminal], [], [], COMMAND_SECONDS)
            assert ready, f"this command does not end: {command}\n{printed.decode()}"
            printed += os.read(self._terminal, 65536)
        text, _, code = printed.decode().rpartition(END)
        return text.splitlines(), int(code)

    def check(self, command: Command) -> str:
        """Run a command of a page; what is wrong with what came of it, or an empty text.

        A command that only looks is typed again until the page's lines come: a person would look again too.
        """
        end = time.monotonic() + WAIT_SECONDS
        while True:
            lines, code = self.type(command.text)
            problem = difference(command, lines, code)
            again = LOOKS.match(command.text) and not ACTS.search(command.text)
            if not problem or not again or time.monotonic() > end:
                return problem
            time.sleep(0.5)


def difference(command: Command, lines: list[str], code: int) -> str:
    """What differs between what a page shows and what was printed; an empty text if nothing does."""
    expected = re.compile("".join(_pattern(line) for line in command.printed if line.strip()))
    printed = "".join(f"{steady(line)}\n" for line in lines if line.strip())
    if expected.fullmatch(printed) and code == command.code:
        return ""
    shown = "\n".join(command.printed)
    real = "\n".join(lines)
    return (
        f"$ {command.text}\n-- the page shows, with exit code {command.code}:\n{shown}\n-- it was, with {code}:\n{real}"
    )


def _pattern(line: str) -> str:
    if line.strip() == "...":
        return r"(?:.*\n)*?"
    return ".*".join(re.escape(part) for part in steady(line).split("...")) + r"\n"


def steady(line: str) -> str:
    """A printed line with words in place of what is never the same: times, durations, processes, who logged a line."""
    for pattern, word in VARIES:
        line = pattern.sub(word, line)
    return line.strip()


@contextmanager
def shell(folder: Path, environment: Mapping[str, str]) -> Iterator[Shell]:
    """A bash in `folder`, with nothing in its environment but what a person has, and `environment`.

    Raises:
        AssertionError: at the end, a process that was started in the folder still runs.
    """
    own = {
        "HOME": str(folder.parent),
        "LANG": "C.UTF-8",
        "TERM": "dumb",
        "NO_COLOR": "1",
    }
    master, slave = pty.openpty()
    tty.setraw(slave)
    termios.tcsetwinsize(slave, (LINES, COLUMNS))
    size = {"COLUMNS": str(COLUMNS), "LINES": str(LINES)}
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}:/usr/sbin"
    process = subprocess.Popen(
        ["bash", "--norc", "--noprofile"],
        cwd=folder,
        env={"PATH": path, **own, **size, **environment},
        stdin=subprocess.PIPE,
        stdout=slave,
        stderr=slave,
    )
    os.close(slave)
    try:
        yield Shell(process, master)
        end = time.monotonic() + WAIT_SECONDS
        while (left := _running_in(folder, but=process.pid)) and time.monotonic() < end:
            time.sleep(0.1)
        assert not left, f"still running at the end of the page: {'; '.join(left.values())}"
    finally:
        for pid in _running_in(folder):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        process.kill()
        process.communicate()
        os.close(master)


def _running_in(folder: Path, but: int = 0) -> dict[int, str]:
    """The processes whose working folder is `folder` or below it, each with its command line; `but` is left out."""
    found = {}
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            place, words = Path(os.readlink(entry / "cwd")), (entry / "cmdline").read_bytes()
        except OSError:
            continue  # it ended meanwhile, or belongs to somebody else
        if place.is_relative_to(folder) and words and int(entry.name) != but:
            found[int(entry.name)] = words.replace(b"\0", b" ").decode().strip()
    return found
