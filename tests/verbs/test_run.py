"""The verb `run`: its line, its exit code, how it is stopped, and what runs before and after the job."""

import os
import pty
import re
import signal
import subprocess
import sys

import pytest

from tests.command_line import USER, CommandLine, wait_for
from tests.engine.test_dependents import CHAIN
from tests.jobs_file.files import write
from tests.verbs.house import LABWHERE, in_terminal, is_running, recorded


@pytest.mark.parametrize(
    "job, code, outcome, text",
    [
        ("count", 0, "succeeded", r"count succeeded in \d+\.\d\d s: checked=7 inserted=5 \(run 1\)"),
        (
            "fail",
            1,
            "failed",
            r"fail failed: ValueError: cannot use it \(run 1; `python -m tests.small_house show 1` has the .*\)",
        ),
        ("decline", 3, "skipped", r"decline skipped: there is nothing new \(run 1\)"),
        ("overrun", 4, "timed_out", r"overrun timed out: over its timeout of 0.3 s \(run 1; .*\)"),
    ],
)
def test_run_ends_with_one_line_and_a_code(house: CommandLine, job: str, code: int, outcome: str, text: str) -> None:
    ended = house("run", job)
    assert ended.code == code
    assert len(ended.lines) == 1 and re.fullmatch(text, ended.lines[0])
    assert "Traceback" not in ended.out + ended.err
    assert recorded(house, "SELECT outcome, origin, slot_at FROM runs") == [(outcome, "by_hand", None)]
    assert recorded(house, "SELECT holder FROM leases WHERE holder IS NOT NULL") == []


def test_a_disabled_job_can_be_run_by_hand(house: CommandLine) -> None:
    assert house("run", "count", COUNT_ENABLED="false").code == 0


def test_a_dry_run_says_so_and_writes_nothing(house: CommandLine) -> None:
    ended = house("run", "count", "--dry-run")
    assert ended.code == 0 and " (dry run): checked=7" in ended.out
    assert house("quarantine").rows == []
    assert house("show", "1", "--json").json["dry_run"] == 1


def test_ctrl_c_cancels_a_run_at_a_safe_point(house: CommandLine) -> None:
    with house.started("run", "walk") as process:
        wait_for(lambda: is_running(house, "walk"))
        ended = house.stopped(process, signal.SIGINT)
    assert ended.code == 5
    assert re.fullmatch(rf"walk cancelled: stopped by {USER} with Ctrl-C \(run 1\)\n", ended.out)
    assert recorded(house, "SELECT outcome FROM runs") == [("cancelled",)]


def test_sigterm_interrupts_a_run_by_hand(house: CommandLine) -> None:
    with house.started("run", "walk") as process:
        wait_for(lambda: is_running(house, "walk"))
        ended = house.stopped(process)
    assert ended.code == 6
    assert recorded(house, "SELECT outcome FROM runs") == [("interrupted",)]


def test_run_shows_a_bar_and_one_line_in_a_terminal(house: CommandLine) -> None:
    text, code = in_terminal(house, "run", "walk", interrupt_after="walking")
    assert code == 5
    assert "/600" in text
    assert text.strip().splitlines()[-1].endswith(f"walk cancelled: stopped by {USER} with Ctrl-C (run 1)")


def test_run_says_that_the_state_database_is_away(house: CommandLine) -> None:
    ended = house("run", "count", STATE_DATABASE_URL=LABWHERE)
    assert ended.code == 1 and ended.out == ""
    assert re.fullmatch(r"janitor: 127\.0\.0\.1:1/labwhere cannot be reached: .*\n", ended.err)


def ran(chain: CommandLine) -> list[str]:
    """The jobs that ran, in their order."""
    return [row["job"] for row in chain("history", "--json").json][::-1]


def test_a_run_is_refused_until_what_it_builds_on_has_succeeded(chain: CommandLine) -> None:
    ended = chain("run", "process")
    assert ended.code == 1
    assert ended.err.startswith(
        "janitor: process depends on crawl, which has not succeeded yet: run crawl first, or give"
    )
    assert ran(chain) == []


@pytest.mark.slow
def test_with_dependencies_runs_what_is_outdated_in_order(chain: CommandLine) -> None:
    ended = chain("run", "report", "--with-dependencies")
    assert ended.code == 0, ended.err
    assert ran(chain)[0] == "crawl" and sorted(ran(chain)) == ["crawl", "process", "report", "twin"]
    assert chain("run", "report", "--with-dependencies").code == 0
    assert ran(chain)[4:] == ["report"]
    assert chain("run", "crawl").code == 0
    rows = {row["job"]: row for row in chain("jobs", "--json").json}
    assert (rows["process"]["status"], rows["process"]["outdated_by"], rows["crawl"]["status"]) == (
        "outdated",
        ["crawl"],
        None,
    )
    assert chain("run", "report", "--with-dependencies").code == 0
    assert sorted(ran(chain)[6:]) == ["process", "report", "twin"]


def test_a_failure_ends_what_builds_on_it(chain: CommandLine) -> None:
    write(
        chain.folder,
        CHAIN.replace(
            "{id: crawl, function: 'FUNCTIONS:crawl', args: [garden]", "{id: crawl, function: 'FUNCTIONS:fails'"
        ),
    )
    ended = chain("run", "report", "--with-dependencies")
    assert ended.code == 1
    assert ended.lines[0].startswith("crawl failed: ValueError: no such thing (run 1;")
    assert sorted(ended.lines[1].removeprefix("not run because of that: ").split(", ")) == ["process", "report", "twin"]


@pytest.mark.slow
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 5), (signal.SIGTERM, 6)])
def test_nothing_begins_after_a_signal(chain: CommandLine, number: int, code: int) -> None:
    # Given a plan whose first job comes to no safe point, and ends well. What happens: a signal, while it runs.
    # What must hold: it ends well, and no other job begins.
    crawl = "{id: crawl, function: 'FUNCTIONS:crawl', args: [garden]"
    assert crawl in CHAIN
    write(chain.folder, CHAIN.replace(crawl, "{id: crawl, function: 'time:sleep', args: [3]"))
    begun = "SELECT id FROM runs WHERE job = 'crawl' AND outcome IS NULL"
    with chain.started("run", "report", "--with-dependencies") as process:
        wait_for(lambda: recorded(chain, begun))
        ended = chain.stopped(process, number)
    assert recorded(chain, "SELECT job, outcome FROM runs") == [("crawl", "succeeded")]
    assert ended.code == code, ended.err
    left = ended.lines[-1].removeprefix("not run since the process was asked to stop: ").split(", ")
    assert sorted(left) == ["process", "report", "twin"]


@pytest.mark.slow
def test_rerun_dependents_runs_what_builds_on_it(chain: CommandLine) -> None:
    assert chain("run", "report", "--with-dependencies").code == 0
    assert chain("run", "process", "--rerun-dependents").code == 0
    assert ran(chain)[4:] == ["process", "report"]


@pytest.mark.slow
def test_a_pin_is_used_and_not_built(chain: CommandLine) -> None:
    assert [chain("run", "crawl").code, chain("run", "crawl").code] == [0, 0]
    assert chain("run", "process", "--pin", "crawl=1", "--with-dependencies").code == 0
    assert chain("show", "3", "--json").json["used"] == {"crawl": 1}
    assert chain("run", "process", "--pin", "crawl").code == 2
    assert "give a dependency and the id of one of its runs" in chain("run", "process", "--pin", "crawl").err
    assert "run 9 is no run of crawl that succeeded" in chain("run", "process", "--pin", "crawl=9").err


@pytest.mark.slow
def test_a_protected_job_asks_first(chain: CommandLine) -> None:
    write(chain.folder, "jobs:\n  - {id: a, function: 'FUNCTIONS:crawl', args: [x], protect: true}\n")
    ended = chain("run", "a")
    assert (ended.code, ended.err) == (2, "janitor: --yes-run is missing: a is protected: give --yes-run a to run it\n")
    assert chain("run", "a", "--yes-run", "b").code == 2
    assert chain("run", "a", "--yes-run", "a").code == 0
    assert typed(chain, "b\n") == 2
    assert typed(chain, "a\n") == 0
    assert ran(chain) == ["a", "a"]


def typed(chain: CommandLine, answer: str) -> int:
    """Run the protected job at a terminal, and type something."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, *chain.program, "run", "a"],
        cwd=chain.folder,
        env=chain.whole({}),
        stdin=theirs,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    os.write(ours, answer.encode())
    code = process.wait(60)
    os.close(ours)
    os.close(theirs)
    return code
