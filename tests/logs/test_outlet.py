"""Where log lines leave: whatever becomes of stdout, nothing fails and nobody waits for long."""

import os
import subprocess
import sys
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import TextIO

import pytest

from janitor.logs import outlet as outlet_module
from janitor.logs.outlet import Outlet, outlet_of
from tests.command_line import ROOT


@pytest.fixture
def pipe() -> Iterator[tuple[int, TextIO]]:
    """A pipe: where it is read, and the stream that is written."""
    read, write = os.pipe()
    with open(write, "w", encoding="ascii") as stream:
        yield read, stream
    os.close(read)


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits in these tests."""
    monkeypatch.setattr(outlet_module, "PATIENCE_SECONDS", 0.01)


def test_what_the_encoding_has_not_is_escaped(pipe: tuple[int, TextIO]) -> None:
    read, stream = pipe
    Outlet(stream).write("é \U0001f9ec\n")
    assert os.read(read, 100) == b"\\xe9 \\U0001f9ec\n"


def test_a_full_pipe_loses_lines_and_says_so(pipe: tuple[int, TextIO]) -> None:
    read, stream = pipe
    outlet = Outlet(stream)
    for number in range(20_000):
        outlet.write(f"line {number:06}\n")
    lines = os.read(read, 10_000_000).decode("ascii").splitlines()
    assert lines == [f"line {number:06}" for number in range(len(lines))]
    outlet.write("there is room again\n")
    told = os.read(read, 1000).decode("ascii").splitlines()
    assert told == [f"{20_000 - len(lines)} lines were lost here: there was no room for them", "there is room again"]


def test_a_line_that_lost_its_end_ends_before_it_is_told(pipe: tuple[int, TextIO]) -> None:
    read, stream = pipe
    outlet = Outlet(stream)
    outlet.write("x" * 100_000 + "\n")
    begun = os.read(read, 1_000_000)
    outlet.write("there is room again\n")
    told = begun + os.read(read, 1000)
    assert told.lstrip(b"x") == b"\n1 lines were lost here: there was no room for them\nthere is room again\n"


def test_a_slow_reader_holds_up_a_tenth_of_the_time_at_most(monkeypatch: pytest.MonkeyPatch) -> None:
    # Given: a reader who takes a piece each 50 ms, and a thousand lines a second. What must hold: in a minute, lines
    # wait for him for a tenth of the time, and for the two seconds that a burst may take.
    monkeypatch.setattr(outlet_module, "PATIENCE_SECONDS", 1.0)
    now, waited, room_at = 100.0, 0.0, 100.0

    def room(descriptor: int, seconds: float) -> bool:
        nonlocal now, waited, room_at
        found = min(seconds, max(0.0, room_at - now))
        now, waited = now + found, waited + found
        is_there = now >= room_at
        room_at = now + 0.05 if is_there else room_at
        return is_there

    with open(os.devnull, "w", encoding="ascii") as stream:
        outlet = Outlet(stream, lambda: now, room)
        while now < 160.0:
            outlet.write("a line\n")
            now += 0.001
    assert 4 < waited < 8.1


SAID = "janitor: log lines are lost here: {}; this is said once, and the verb `show` has the lines of each run\n"


def test_a_reader_that_is_gone_is_told_once(capfd: pytest.CaptureFixture[str]) -> None:
    # Given a stream whose reader goes away while the stream holds a text. What must hold: no line is an error.
    read, write = os.pipe()
    with open(write, "w", encoding="ascii") as stream:
        stream.write("from before")
        os.close(read)
        outlet = Outlet(stream)
        for _ in range(3):
            outlet.write("to nobody\n")
            outlet.flush()
        os.dup2(os.open(os.devnull, os.O_WRONLY), write)
    assert capfd.readouterr().err == SAID.format("Broken pipe")


PROGRAM = """
import subprocess, sys
from janitor.logs.outlet import Outlet
Outlet(sys.stdout).write("to nobody")
sys.exit(subprocess.run(["sh", "-c", "echo one; echo two; exit 7"]).returncode)
"""


def test_a_program_of_a_task_outlives_a_reader_that_is_gone() -> None:
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run([sys.executable, "-c", PROGRAM], cwd=ROOT, stdout=write, stderr=subprocess.PIPE, text=True)
    os.close(write)
    assert (done.returncode, done.stderr) == (7, SAID.format("Broken pipe"))


def test_a_full_disk_is_told_once(capfd: pytest.CaptureFixture[str]) -> None:
    with open("/dev/full", "w", encoding="ascii") as stream:
        outlet = Outlet(stream)
        outlet.write("no room\n")
        outlet.write("no room\n")
    assert capfd.readouterr().err == SAID.format("No space left on device")


def test_a_reader_who_stands_still_is_told_once(pipe: tuple[int, TextIO], capfd: pytest.CaptureFixture[str]) -> None:
    outlet = Outlet(pipe[1])
    for _ in range(200):
        outlet.write("x" * 4095 + "\n")
    assert capfd.readouterr().err == SAID.format("nobody reads them, or not fast enough")


def test_an_error_stream_that_takes_nothing_either_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    for stderr in (None, StringIO(), object()):
        monkeypatch.setattr(sys, "stderr", stderr)
        with open("/dev/full", "w", encoding="ascii") as stream:
            Outlet(stream).write("no room\n")


def test_a_stream_that_is_closed_harms_it_not(tmp_path: Path) -> None:
    with (tmp_path / "log").open("w", encoding="utf-8") as stream:
        outlet = Outlet(stream)
        outlet.close()
    outlet.write("é\n")
    assert (tmp_path / "log").read_text(encoding="utf-8") == "é\n"


def test_its_descriptor_goes_with_it(pipe: tuple[int, TextIO]) -> None:
    before = len(os.listdir("/proc/self/fd"))
    outlet: Outlet | None = Outlet(pipe[1])
    assert len(os.listdir("/proc/self/fd")) == before + 1 and outlet is not None
    outlet = None
    assert len(os.listdir("/proc/self/fd")) == before


def test_a_stream_without_a_descriptor_is_its_own_outlet() -> None:
    stream = StringIO()
    assert outlet_of(stream) is stream and sys.stdout is not None
