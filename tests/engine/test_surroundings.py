"""What runs share: no task can take it away from the others.

Given: a daemon whose first job changes what all threads of its process share, and a second job that only tells.
What happens: both run, the second after the first.
What must hold: the second's run is whole, on stdout and in its log; no secret is told; what was changed is told once.
"""

import logging
import os
import re
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import URL

from janitor.engine.live import Live, LiveRuns, Progress
from janitor.engine.process_state import Stays
from janitor.engine.surroundings import Surroundings, kept
from janitor.logs.mask import Mask
from janitor.logs.run_log import RunLog
from janitor.runs import Fence, Run, running
from tests.command_line import CommandLine
from tests.daemons import daemons
from tests.small_engine import eventually, job_of, lines_of, lite_state, migrated, nothing, rows_of

SECRET = "never-to-be-told"


def run_beside(folder: Path, hostile: str) -> tuple[str, dict[str, list[str]]]:
    """What a daemon said of two jobs, and the lines in the log of each."""
    url = URL.create("sqlite", database=str(folder / "state.db"))
    state = migrated(url)
    environment = {"JOBS": f"{hostile} tell", "RABBITMQ_PASSWORD": SECRET, "TELL_SCHEDULE": "every 1s"}
    with daemons("tests.hostile_house", folder, **environment) as start:
        daemon = start(url)
        eventually(lambda: len([row for row in rows_of(state, "tell") if row.outcome]) > 3)
        assert daemon.end(signal.SIGTERM) == 0
    logs = {job: lines_of(state, rows_of(state, job)[-1].id) for job in (hostile, "tell")}
    state.close()
    return daemon.text, logs


@pytest.mark.parametrize(
    "hostile",
    [
        "disable_logging",
        *(
            pytest.param(job, marks=pytest.mark.slow)
            for job in ("take_logging", "force_logging", "take_stdout", "change_all")
        ),
    ],
)
def test_no_task_takes_from_others_what_all_share(tmp_path: Path, hostile: str) -> None:
    said, logs = run_beside(tmp_path, hostile)
    last = said.splitlines()[-1]
    assert logs["tell"] == ["logged", "said"] and last.endswith("stopped")
    assert len(re.findall(r" INFO stdout \[tell \d+\] said", said)) > 1
    told = [line for line in said.splitlines() if re.search(f"while .*{hostile}.* ran, this was changed", line)]
    assert told and len(told) == len(set(line.rpartition(": ")[2] for line in told))
    assert SECRET not in said


@pytest.mark.slow
def test_all_changes_of_a_process_are_told(tmp_path: Path) -> None:
    said, _ = run_beside(tmp_path, "change_all")
    for what in (
        "umask",
        "socket.setdefaulttimeout",
        "gc.disable",
        "sys.setrecursionlimit",
        "RLIMIT_NOFILE",
        "warnings",
    ):
        assert re.search(f"while .*change_all.* ran, this was changed .*{what}", said), what
    assert "a task let the signal SIGALRM come" in said


@pytest.mark.parametrize("job", ["print_all", "print_all/process"])
def test_what_a_task_prints_is_in_its_run_s_log(tmp_path: Path, job: str) -> None:
    house = CommandLine(tmp_path, ("-m", "tests.hostile_house"), {"JOBS": job, "RABBITMQ_PASSWORD": SECRET})
    lite_state(tmp_path / "var" / "janitor.db")
    ended = house("run", "print_all")
    printed = ["printed 1 ***", "100 %", "from a thread", "without an end"]
    # By hand it is on stdout too, as the task prints it.
    assert ended.code == 0 and ended.out.startswith("printed 1 ***\n10 %\n20 %\n100 %\nfrom a thread\nwithout an end\n")
    assert ended.err == "to stderr\n"
    log = [line for line in house("show", "1", "--json").json["log"] if line["logger"] in ("stdout", "stderr")]
    assert [line["message"] for line in log if line["logger"] == "stdout"] == printed
    assert [line["message"] for line in log if line["logger"] == "stderr"] == ["to stderr"]
    assert job.endswith("process") or {line["file"] for line in log} >= {"tests/hostile_house.py"}


@pytest.fixture
def unkept() -> Iterator[None]:
    """What a test keeps of this process is let go again."""
    out, err, handlers = sys.stdout, sys.stderr, logging.getLogger().handlers
    yield
    sys.stdout, sys.stderr, logging.getLogger().handlers = out, err, handlers


@pytest.mark.usefixtures("unkept")
def test_a_closed_stdout_takes_nothing_from_runs_that_go_on(caplog: pytest.LogCaptureFixture) -> None:
    # Given: two runs. What happens: the first closes its own sys.stdout, and ends. What must hold: the second prints,
    # and so does a child process, also before anybody has looked.
    mask = Mask([])
    surroundings, runs = kept(mask, RunLog(mask)), LiveRuns({1: live("a", 1), 2: live("b", 2)})
    with open(os.devnull, "w", encoding="utf-8") as sys.stdout:
        pass
    with running(runs[2].run):
        surroundings.print("stdout", "from a child\n")
    surroundings.run_ends(1, "a", runs)
    with running(runs[2].run):
        print("still there")
    said = [record.getMessage() for record in caplog.records if record.name == "stdout"]
    assert said == ["from a child", "still there"]


def live(job: str, number: int, **options: Any) -> Live:
    return Live(Run(id=number, job=job), job_of(nothing, id=job, **options), Fence("job:a", 1), Progress())


def blamed(caplog: pytest.LogCaptureFixture) -> list[tuple[str, str]]:
    """Whom each warning names, and for what."""
    found = [re.fullmatch(r"while (.*) ran, .*: (.*)", record.getMessage()) for record in caplog.records]
    return [(one[1], one[2]) for one in found if one]


def test_what_waited_may_come_from_each_run_since(caplog: pytest.LogCaptureFixture) -> None:
    changed: list[str] = []
    surroundings = Surroundings(if_alone=[lambda: iter([changed.pop()] if changed else [])])
    runs = LiveRuns({1: live("a", 1), 2: live("b", 2)})
    changed.append("umask")
    surroundings.run_ends(1, "a", runs)
    del runs[1]
    runs[3] = live("c", 3)
    surroundings.run_ends(2, "b", runs)
    del runs[2]
    surroundings.run_ends(3, "c", runs)
    changed.append("the locale")
    surroundings.run_ends(3, "c", runs)
    assert blamed(caplog) == [("a, b, c", "umask"), ("c", "the locale")]


def test_a_run_in_a_process_of_its_own_has_changed_nothing(caplog: pytest.LogCaptureFixture) -> None:
    put_back: list[str] = []

    def later() -> Iterator[str]:
        put_back.append("umask")
        yield "umask"

    surroundings = Surroundings(if_alone=[later])
    runs = LiveRuns({1: live("a", 1), 2: live("b", 2, isolation="process")})
    surroundings.run_ends(1, "a", runs)
    assert put_back == ["umask"] and blamed(caplog) == [("a", "umask")]
    del runs[1]
    surroundings.run_ends(2, "b", runs)
    surroundings.look(runs)
    assert put_back == ["umask"] * 3 and blamed(caplog) == [("a", "umask")]


def test_of_very_many_jobs_the_first_are_named(caplog: pytest.LogCaptureFixture) -> None:
    surroundings = Surroundings([lambda: iter(["umask"])])
    surroundings.look(LiveRuns({number: live(f"job{number:02}", number) for number in range(25)}))
    assert blamed(caplog)[0][0].endswith("job18, job19 or 5 more jobs")


def test_what_others_may_mean_so_waits_until_they_end(caplog: pytest.LogCaptureFixture) -> None:
    put_back: list[str] = []

    def at_once() -> Iterator[str]:
        put_back.append("at once")
        yield "logging"

    def later() -> Iterator[str]:
        put_back.append("later")
        yield "umask"

    surroundings, runs = Surroundings([at_once], [later]), LiveRuns({1: live("a", 1), 2: live("b", 2)})
    surroundings.run_ends(1, "a", runs)
    assert put_back == ["at once"]
    del runs[1]
    surroundings.look(runs)
    assert put_back == ["at once"] * 2
    surroundings.run_ends(2, "b", runs)
    surroundings.run_ends(2, "b", runs)
    said = [(words[1], words[-1]) for record in caplog.records if (words := record.getMessage().split())]
    assert said == [("a,", "logging"), ("a,", "umask")]
    assert put_back[2:] == ["at once", "later"] * 2


def test_while_nothing_goes_on_it_is_looked_at_now_and_then() -> None:
    looks: list[str] = []

    def look() -> Iterator[str]:
        looks.append("look")
        yield from ()

    surroundings, runs = Surroundings([look]), LiveRuns({1: live("a", 1)})

    def looked(times: int) -> int:
        looks.clear()
        for _ in range(times):
            surroundings.look(runs)
        return len(looks)

    assert looked(5) == 5
    del runs[1]
    assert [looked(1), looked(9), looked(1), looked(40)] == [1, 0, 1, 4]
    surroundings.run_ends(2, "a", runs)
    assert [looked(1), looked(9)] == [1, 0], "the run may have left a thread behind"


def test_what_stays_changed_is_not_told_as_put_back(caplog: pytest.LogCaptureFixture) -> None:
    surroundings = Surroundings([lambda: iter(["umask", Stays("umask"), Stays("umask")])])
    surroundings.run_ends(1, "a", LiveRuns())
    said = [record.getMessage().partition("for all jobs, and ")[2] for record in caplog.records]
    assert said == ["it is put back: umask", "it cannot be put back: umask"]
