"""Paths of settings: absolute from the moment they are read, whatever a task does with the working folder."""

import os
import time
from pathlib import Path

import pytest
from sqlalchemy import URL, make_url
from sqlalchemy.exc import DatabaseError

from janitor.errors import JanitorError
from janitor.settings.paths import absolute, holds_path
from janitor.state import State
from tests.command_line import CommandLine, wait_for
from tests.jobs_file.files import write
from tests.small_engine import outcomes


@pytest.mark.parametrize(
    ("value", "made"),
    [
        (Path("a/b"), Path("/here/a/b")),
        (Path("/a/b"), Path("/a/b")),
        ((Path("a"), "b"), (Path("/here/a"), "b")),
        (make_url("sqlite:///a.db?timeout=5"), make_url("sqlite:////here/a.db?timeout=5")),
        (make_url("mysql+pymysql://u@h/d?ssl_key=k"), make_url("mysql+pymysql://u@h/d?ssl_key=/here/k")),
        (make_url("mysql+pymysql://u@h/d"), make_url("mysql+pymysql://u@h/d")),
        ("a/b", "a/b"),
        (None, None),
    ],
)
def test_a_path_begins_in_the_folder_and_other_values_stay(value: object, made: object) -> None:
    assert absolute(value, Path("/here")) == made
    assert holds_path(value) is (value not in ("a/b", None))


@pytest.mark.slow
def test_a_task_that_changes_folders_changes_nothing_else(tmp_path: Path) -> None:
    # Given: a daemon with relative paths, a task that changes the folder, and a job in a process of its own.
    # What happens: the folder is changed, then both jobs run on. What must hold: the clock's sign of life and the
    # state database are where they were, and nothing is made in the other folder.
    there, now = tmp_path / "there", time.time()
    there.mkdir()
    write(
        tmp_path,
        "jobs:\n"
        f"  - {{id: leaves, function: 'os:chdir', args: ['{there}'], schedule: every 1s}}\n"
        "  - {id: apart, function: 'FUNCTIONS:crawl', args: [x], schedule: every 1s, isolation: process}\n",
    )
    house = CommandLine(tmp_path, ("-m", "tests.jobs_file.bare"), {"JOBS_FILE": "jobs.yaml", "LEASE_SECONDS": "2"})
    with house.started("start") as process:
        state = State(URL.create("sqlite", database=str(tmp_path / "var" / "janitor.db")))
        wait_for(lambda: (tmp_path / "var" / "janitor.db").exists() and "succeeded" in _outcomes(state, "leaves"))
        os.utime(tmp_path / "var" / "heartbeat", (now - 60, now - 60))
        seen = len(_outcomes(state, "apart"))
        wait_for(lambda: _outcomes(state, "apart").count("succeeded") > seen)
        wait_for(lambda: (tmp_path / "var" / "heartbeat").stat().st_mtime > now)
        assert house("health").code == 0
        state.close()
        assert house.stopped(process).code == 0
    assert list(there.iterdir()) == []


def _outcomes(state: State, job: str) -> list[str | None]:
    try:
        return outcomes(state, job)
    except (JanitorError, DatabaseError):  # the tables are not made yet
        return []
