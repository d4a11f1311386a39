"""The desk that runs verbs for the suite: what it gives is what a process of its own would give."""

import re
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.command_line import CommandLine
from tests.desk import Begun, begun, desk

pytestmark = pytest.mark.skipif(desk.closed, reason="each program is a process of its own")

PROGRAM = """
import os, sys, time
print(sys.argv[1:], os.getcwd(), sorted(os.environ), __name__, sys.stdin.read())
print("not good", file=sys.stderr, flush=True)
if "late" in sys.argv:
    time.sleep(60)
sys.exit(7)
"""


@pytest.fixture
def house(tmp_path: Path) -> CommandLine:
    (tmp_path / "program.py").write_text(PROGRAM, encoding="utf-8")
    return CommandLine(tmp_path, ("-m", "tests.small_house"))


def as_process(house: CommandLine, words: list[str]) -> tuple[int, str, str]:
    command = [sys.executable, *house.program, *words]
    ended = subprocess.run(command, cwd=house.folder, env=house.whole({}), capture_output=True, text=True, timeout=60)
    return ended.returncode, ended.stdout, ended.stderr


def at_desk(folder: Path, program: Sequence[str], *words: str, **environment: str) -> "subprocess.Popen[str]":
    process = begun(program, words, folder, CommandLine(folder).whole(environment))
    assert isinstance(process, Begun)
    return process


def without_times(text: str) -> str:
    return re.sub(r"\d+\.\d+ s|[\d-]+ [\d:.]+", "T", text)


@pytest.mark.parametrize("words", ["run fail", "history --json", "dance", "show 99"])
def test_a_verb_is_as_in_a_process_of_its_own(house: CommandLine, words: str) -> None:
    typed = [*words.split(), *(["--new-state"] if words.startswith("run") else [])]
    begun_here = at_desk(house.folder, house.program, *typed)
    here = begun_here.communicate(timeout=60)
    (house.folder / "var" / "janitor.db").unlink(missing_ok=True)
    code, *there = as_process(house, typed)
    assert begun_here.returncode == code and [without_times(text) for text in here] == [*map(without_times, there)]


def test_a_program_is_alone_with_what_it_was_given(house: CommandLine) -> None:
    program = (str(house.folder / "program.py"),)
    given = sorted(house.whole({"ONE": "1"}))
    both = [at_desk(house.folder, program, word, ONE="1") for word in ("late", "a")]
    assert both[1].communicate(timeout=60) == (f"['a'] {house.folder} {given} __main__ \n", "not good\n")
    assert both[1].returncode == 7 and both[0].poll() is None
    with pytest.raises(subprocess.TimeoutExpired):
        both[0].wait(0.1)
    both[0].kill()
    assert both[0].wait(60) == -signal.SIGKILL == both[0].poll()
    assert both[0].communicate(timeout=60)[1] == "not good\n"


def test_a_program_may_print_into_a_file(house: CommandLine, tmp_path: Path) -> None:
    with (tmp_path / "log").open("wb") as log:
        process = begun((str(house.folder / "program.py"),), (), tmp_path, house.whole({}), log.fileno())
    assert isinstance(process, Begun) and process.wait(60) == 7
    assert sorted((tmp_path / "log").read_text(encoding="utf-8").splitlines())[1] == "not good"


@pytest.mark.parametrize("variable", ["PYTHONIOENCODING", "LD_PRELOAD", "LC_ALL", "COV_CORE_SOURCE"])
def test_what_says_how_python_starts_needs_a_real_start(house: CommandLine, variable: str) -> None:
    streams = (0, 0)
    assert desk.begin(house.program, ["jobs"], house.folder, house.whole({variable: "x"}), streams) is None
    assert desk.begin(("-O", "run.py"), ["jobs"], house.folder, house.whole({}), streams) is None
    assert desk.begin(house.program, ["jobs"], house.folder, {}, streams) is None
