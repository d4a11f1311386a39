"""The command line: what holds for every verb, whatever it does: bad input, secrets, help, and errors."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.command_line import CommandLine, wait_for
from tests.small_engine import lite_state
from tests.verbs.house import LABWHERE, SECRET, is_running, recorded


@pytest.fixture
def house(tmp_path: Path) -> CommandLine:
    """The command line of the small house, with an empty state database."""
    lite_state(tmp_path / "var" / "janitor.db")
    return CommandLine(tmp_path, ("-m", "tests.small_house"))


@pytest.fixture
def janitor(tmp_path: Path) -> CommandLine:
    """The command line of Janitor itself."""
    return CommandLine(tmp_path)


def test_a_job_that_is_running_is_not_run_twice(house: CommandLine) -> None:
    with house.started("run", "walk"):
        wait_for(lambda: is_running(house, "walk"))
        ended = house("run", "walk")
        rows = house("history").rows
    assert ended.code == 3
    assert ended.out == "walk skipped: still running in another process (run 1)\n"
    assert [(row["run"], row["outcome"]) for row in rows] == [("1", "running")]


def test_a_password_is_in_no_output_and_no_record(house: CommandLine) -> None:
    printed = [house(*verb, LABWHERE_DATABASE_URL=LABWHERE, LOG_LEVEL="DEBUG") for verb in (["run", "fail"], ["check"])]
    printed += [house("show", "1"), house("history", "--json"), house("jobs")]
    kept = "\n".join(repr(row) for row in recorded(house, "SELECT reason, traceback FROM runs"))
    kept += repr(recorded(house, "SELECT message FROM run_logs"))
    text = kept + "".join(one.out + one.err for one in printed)
    assert "mysql+pymysql://***@127.0.0.1" in text
    assert SECRET not in text and "s3cret" not in text


@pytest.mark.parametrize(
    "arguments, text",
    [
        (["run", "nope"], "JOB is 'nope': there is no such job; the jobs are count, fail, decline, overrun, walk"),
        (["history", "nope"], "there is no such job"),
        (["pause", "nope"], "there is no such job"),
        (["show", "99"], "RUN is '99': there is no such run"),
        (["show", "x"], "'x' is not a valid integer"),
        (["history", "--limit", "0"], "0 is not in the range"),
        (
            ["dance"],
            "janitor: no such command 'dance'. Did you mean 'cancel'? `python -m tests.small_house --help` tells",
        ),
    ],
)
def test_bad_input_is_named_and_exits_2(house: CommandLine, arguments: list[str], text: str) -> None:
    ended = house(*arguments)
    assert ended.code == 2 and ended.out == ""
    assert text in ended.err and "Traceback" not in ended.err


@pytest.mark.parametrize(
    "name, value, text",
    [
        (
            "STATE_DATABASE_URL",
            "oracle://anna:s3cret99@host/x",
            "STATE_DATABASE_URL is '(not shown)': the driver 'oracle' is not",
        ),
        ("COUNT_SCHEDULE", "every now and then", "COUNT_SCHEDULE is 'every now and then': give 'every' and a number"),
        ("COUNT_ENABLED", "perhaps", "COUNT_ENABLED is 'perhaps': give true or false"),
        ("GRACE_SECONDS", "soon", "GRACE_SECONDS is 'soon': give a number"),
        ("HEARTBEAT_FILE", "/proc/version/beat", "HEARTBEAT_FILE is '/proc/version/beat': it cannot be written"),
    ],
)
def test_a_bad_setting_stops_the_start(house: CommandLine, name: str, value: str, text: str) -> None:
    (house.folder / "var" / "janitor.db").unlink()
    ended = house("start", **{name: value})
    assert ended.code == 2
    assert ended.err.startswith(f"janitor: {text}") and ended.err.count("\n") == 1
    assert "s3cret99" not in ended.out + ended.err
    assert not (house.folder / "var" / "janitor.db").exists()


@pytest.mark.parametrize("verb", [["start"], ["run", "count"]])
def test_a_state_database_that_cannot_be_made_is_told(house: CommandLine, verb: list[str]) -> None:
    (house.folder / "file").touch()
    ended = house(*verb, STATE_DATABASE_URL="sqlite:///file/state.db")
    assert ended.code == 1 and "Traceback" not in ended.out + ended.err
    assert re.fullmatch(r"janitor: the folder .*file cannot be made: .*; check the path.*", ended.err.splitlines()[-1])


def test_an_unexpected_error_is_one_sentence(house: CommandLine) -> None:
    environment = {"SMALL_HOUSE_BREAKS": "1", "LABWHERE_DATABASE_URL": LABWHERE}
    ended = house("jobs", **environment)
    url = LABWHERE.replace("anna:s3cret%2Fword%25%26", "***")
    said = f"an error that was not expected: ValueError: cannot use {url} at all"
    assert (ended.code, ended.out) == (1, "")
    assert re.fullmatch(
        rf"janitor: {re.escape(said)} \(\S*tests/small_house.py:\d+\); set LOG_LEVEL=DEBUG to see where\n", ended.err
    )
    debugged = house("jobs", **environment, LOG_LEVEL="DEBUG")
    assert "Traceback" in debugged.err and "s3cret" not in debugged.err


def test_a_reader_that_goes_away_is_no_error(house: CommandLine) -> None:
    house("run", "count")
    command = f"{sys.executable} -m tests.small_house history | true"
    ended = subprocess.run(command, shell=True, cwd=house.folder, env=house.whole({}), capture_output=True, text=True)
    assert ended.stderr == ""


def test_every_verb_has_help_of_one_line(janitor: CommandLine) -> None:
    text = janitor("--help").out
    verbs = re.findall(r"^  (\w+) {2,}(.+)$", text.split("Commands:")[1], re.MULTILINE)
    assert {verb for verb, _ in verbs} == set(VERBS)
    assert [line for _, line in verbs if not line.endswith(".") or line.endswith("...")] == []


VERBS = "start jobs run history show delete pause resume cancel check quarantine cursor listen notices password".split()
VERBS += ["validate", "health", "rename", "backup", "restore", "restored", "migrate"]
VERBS += "items item push retry reprocess reset drop flag letters".split()
