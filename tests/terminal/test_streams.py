"""Whatever becomes of a command's stdout and stderr: the outcome is on record, and the exit code tells it.

Given: a run by hand whose stdout does not take what it prints: a narrow encoding, closed, full, without a reader.
What happens: the run ends, well or not.
What must hold: its outcome is recorded and told by the exit code; what stdout does not take is told on stderr.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from sqlalchemy import URL

from tests.command_line import CommandLine, wait_for
from tests.small_engine import lite_state, migrated, rows_of
from tests.verbs.house import in_terminal

CODES = {"tell": (0, "succeeded"), "fail_in_words": (1, "failed"), "print_all": (0, "succeeded")}


@pytest.fixture
def house(tmp_path: Path) -> CommandLine:
    """The house of hostile tasks, with an empty state database."""
    lite_state(tmp_path / "var" / "janitor.db")
    environment = {"JOBS": "tell fail_in_words print_all print_much", "RABBITMQ_PASSWORD": "never-to-be-told"}
    return CommandLine(tmp_path, ("-m", "tests.hostile_house"), environment)


def in_shell(house: CommandLine, words: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    """Run words of a shell, in which `$run` is the command with its verb `run`."""
    run = " ".join([sys.executable, *house.program, "run"])
    return subprocess.run(
        ["bash", "-c", words],
        cwd=house.folder,
        env={**house.whole(environment), "run": run},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def outcomes(house: CommandLine) -> Sequence[str | None]:
    state = migrated(URL.create("sqlite", database=str(house.folder / "var" / "janitor.db")))
    found = [row.outcome for row in rows_of(state)]
    state.close()
    return found


@pytest.mark.parametrize(
    ("ending", "job"),
    [
        (">&-", "tell"),
        (">&-", "fail_in_words"),
        pytest.param(">&- 2>&- <&-", "print_all", marks=pytest.mark.slow),
        (">/dev/full", "fail_in_words"),
        pytest.param(">/dev/full", "print_all", marks=pytest.mark.slow),
        pytest.param("2>/dev/full", "print_all", marks=pytest.mark.slow),
        pytest.param("> >(exec true)", "print_all", marks=pytest.mark.slow),
        pytest.param("> >(exec true)", "fail_in_words", marks=pytest.mark.slow),
    ],
)
def test_a_stdout_that_takes_nothing_changes_no_outcome(house: CommandLine, ending: str, job: str) -> None:
    code, outcome = CODES[job]
    ended = in_shell(house, f"$run {job} {ending}")
    assert ended.returncode == code, ended.stderr
    assert outcomes(house) == [outcome]
    assert "Traceback" not in ended.stderr
    if ending == ">/dev/full":
        assert f"stdout takes nothing ([Errno 28] No space left on device): {job} {outcome}" in ended.stderr


def test_a_verb_says_that_there_is_no_room_for_what_it_prints(house: CommandLine) -> None:
    ended = in_shell(house, "${run% run} jobs --json >/dev/full")
    assert (ended.returncode, ended.stderr) == (
        1,
        "janitor: there is no room for what this command prints: make room, or print to another place\n",
    )


@pytest.mark.parametrize("encoding", ["ascii", pytest.param("ascii:strict", marks=pytest.mark.slow)])
def test_a_stdout_that_cannot_encode_gets_escapes(house: CommandLine, encoding: str) -> None:
    ended = house("run", "fail_in_words", PYTHONIOENCODING=encoding)
    assert ended.code == 1 and "\\u2013 \\U0001f9ec" in ended.out and "unexpected" not in ended.err
    assert outcomes(house) == ["failed"]


@pytest.mark.slow
def test_a_pipe_that_nobody_reads_ends_with_the_run_s_time(house: CommandLine) -> None:
    # Given: a run that prints more than a pipe holds, and nobody reads. What happens: the process is told to stop.
    # What must hold: printing is a safe point; the run is interrupted, recorded, and told by the exit code.
    with house.started("run", "print_much") as process:
        wait_for(lambda: (house.folder / "var" / "janitor.db").exists() and outcomes(house) == [None])
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 6
    assert outcomes(house) == ["interrupted"]


@pytest.mark.slow
def test_a_front_door_that_prints_to_nobody_harms_no_run(tmp_path: Path) -> None:
    # Given: a front door that prints while it is imported, and a stdout without a reader. What happens: a run by hand.
    # What must hold: the run is recorded, and nothing is said but that stdout takes nothing.
    front_door = (
        "print('hello')\nfrom tests.hostile_house import build\nfrom janitor.cli import main\nexit(main(build))\n"
    )
    (tmp_path / "run.py").write_text(front_door, encoding="utf-8")
    lite_state(tmp_path / "var" / "janitor.db")
    house = CommandLine(tmp_path, ("run.py",), {"JOBS": "tell", "PYTHONUNBUFFERED": ""})
    ended = in_shell(house, "$run tell > >(exec true)")
    assert (ended.returncode, outcomes(house)) == (0, ["succeeded"]), ended.stderr
    assert "Traceback" not in ended.stderr and "Exception ignored" not in ended.stderr


@pytest.mark.slow
def test_a_daemon_whose_log_nobody_reads_goes_on(tmp_path: Path) -> None:
    # Given: a daemon whose stdout is a full pipe. What happens: runs come and go, and it is told to stop.
    # What must hold: each run is recorded, and the exit code is 0.
    read, write = os.pipe()
    os.set_blocking(write, False)
    while True:
        try:
            os.write(write, b"x" * 4096)
        except BlockingIOError:
            break
    os.set_blocking(write, True)
    house = CommandLine(tmp_path, ("-m", "tests.hostile_house"), {"JOBS": "tell", "TELL_SCHEDULE": "every 1s"})
    daemon = subprocess.Popen(
        [sys.executable, *house.program, "start"], cwd=house.folder, env=house.whole({}), stdout=write
    )
    try:
        wait_for(lambda: (tmp_path / "var" / "janitor.db").exists() and outcomes(house).count("succeeded") > 2)
        daemon.send_signal(signal.SIGTERM)
        assert daemon.wait(60) == 0
    finally:
        daemon.kill()
        daemon.wait()
        os.close(read)
        os.close(write)


@pytest.mark.slow
def test_on_a_terminal_prints_stand_above_the_bars_once(house: CommandLine) -> None:
    text, code = in_terminal(house, "run", "print_all")
    assert code == 0 and text.count("printed 1 ***") == 1 and text.count("from a thread") == 1
    log = house("show", "1", "--json").json["log"]
    assert [line["message"] for line in log if line["logger"] == "stdout"][::2] == ["printed 1 ***", "from a thread"]
    assert [line["message"] for line in log if "changed for all jobs" in line["message"]] == []
