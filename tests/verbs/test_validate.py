"""The command line with a jobs file: validate, export, runs with what they build on, protection, deletion."""

import json
import os
import pty
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.shell_completion import ShellComplete

from janitor.cli import verbs
from janitor.jobs_file.loading import load
from janitor.scheduler import Scheduler
from janitor.settings import Settings
from janitor.verbs.assembly import Assembly
from tests.command_line import CommandLine, wait_for
from tests.engine.test_dependents import CHAIN
from tests.jobs_file.files import clock, write

BARE = ("-m", "tests.jobs_file.bare")


@pytest.fixture
def house(tmp_path: Path) -> CommandLine:
    """The command line on a chain of jobs."""
    write(tmp_path, CHAIN.replace("    isolation: process\n", ""))
    return CommandLine(tmp_path, BARE, {"JOBS_FILE": "jobs.yaml"})


def ran(house: CommandLine) -> list[str]:
    return [row["job"] for row in house("history", "--json").json][::-1]


def test_validate_tells_every_mistake_and_ends_with_2(house: CommandLine) -> None:
    ended = house("validate")
    assert (ended.code, ended.lines) == (0, ["jobs.yaml: 4 jobs, no mistakes"])
    write(house.folder, CHAIN.replace("args: [garden]", "args: [1, 2, 3]").replace("[process, twin", "[prcess, twin"))
    ended = house("validate", "jobs.yaml")
    assert (ended.code, len(ended.lines), ended.lines[-1]) == (2, 4, "jobs.yaml: 3 mistakes")
    assert (
        ended.lines[1]
        == "jobs.yaml:17: job report: args or kwargs: '!result process' needs process among the dependencies of "
        "this job"
    )
    told = house("validate", "--json").json
    assert [(one["file"], one["line"], one["where"]) for one in told] == [
        ("jobs.yaml", 3, "job crawl: args"),
        ("jobs.yaml", 17, "job report: args or kwargs"),
        ("jobs.yaml", 19, "job report: dependencies"),
    ]
    ended = house("validate", JOBS_FILE="")
    assert (ended.code, ended.err) == (2, "janitor: FILE is missing: name a jobs file, or give one as JOBS_FILE\n")


def test_what_is_exported_makes_the_same_jobs(house: CommandLine) -> None:
    whole = CHAIN + "  - {id: odd, function: 'FUNCTIONS:crawl', args: ['{{ x }}'], notes: \"a\\nb\\n\"}\n"
    whole = whole.replace("{{ x }}", "{% raw %}{{ x }}{% endraw %}")
    write(house.folder, whole)
    (house.folder / "copy.yaml").write_text(house("jobs", "--export").out, encoding="utf-8")
    first = load(house.folder / "jobs.yaml", clock()).jobs
    again = load(house.folder / "copy.yaml", clock()).jobs
    kept = ("id", "func", "args", "schedule", "dependencies", "isolation", "timeout", "notes", "enabled")
    assert [[getattr(job, name) for name in kept] for job in again.values()] == [
        [getattr(job, name) for name in kept] for job in first.values()
    ]
    assert again["odd"].args == ("{{ x }}",)


def test_the_jobs_of_run_py_are_exported_and_the_copy_is_valid(tmp_path: Path) -> None:
    janitor = CommandLine(tmp_path)
    exported = janitor("jobs", "--export")
    (tmp_path / "copy.yaml").write_text(exported.out, encoding="utf-8")
    ended = janitor("validate", "copy.yaml")
    assert (ended.code, ended.lines) == (0, ["copy.yaml: 4 jobs, no mistakes"])
    assert "janitor.tasks.labware_location" in exported.out and "cannot be written" not in exported.out


def test_a_run_is_refused_until_what_it_builds_on_has_succeeded(house: CommandLine) -> None:
    ended = house("run", "process")
    assert ended.code == 1
    assert ended.err.startswith(
        "janitor: process depends on crawl, which has not succeeded yet: run crawl first, or give"
    )
    assert ran(house) == []


def test_with_dependencies_runs_what_is_outdated_in_order(house: CommandLine) -> None:
    ended = house("run", "report", "--with-dependencies")
    assert ended.code == 0, ended.err
    assert ran(house)[0] == "crawl" and sorted(ran(house)) == ["crawl", "process", "report", "twin"]
    assert house("run", "report", "--with-dependencies").code == 0
    assert ran(house)[4:] == ["report"]
    assert house("run", "crawl").code == 0
    rows = {row["job"]: row for row in house("jobs", "--json").json}
    assert (rows["process"]["status"], rows["process"]["outdated_by"], rows["crawl"]["status"]) == (
        "outdated",
        ["crawl"],
        None,
    )
    assert house("run", "report", "--with-dependencies").code == 0
    assert sorted(ran(house)[6:]) == ["process", "report", "twin"]


def test_a_failure_ends_what_builds_on_it(house: CommandLine) -> None:
    write(
        house.folder,
        CHAIN.replace(
            "{id: crawl, function: 'FUNCTIONS:crawl', args: [garden]", "{id: crawl, function: 'FUNCTIONS:fails'"
        ),
    )
    ended = house("run", "report", "--with-dependencies")
    assert ended.code == 1
    assert ended.lines[0].startswith("crawl failed: ValueError: no such thing (run 1;")
    assert sorted(ended.lines[1].removeprefix("not run because of that: ").split(", ")) == ["process", "report", "twin"]


@pytest.mark.slow
def test_rerun_dependents_runs_what_builds_on_it(house: CommandLine) -> None:
    assert house("run", "report", "--with-dependencies").code == 0
    assert house("run", "process", "--rerun-dependents").code == 0
    assert ran(house)[4:] == ["process", "report"]


@pytest.mark.slow
def test_a_pin_is_used_and_not_built(house: CommandLine) -> None:
    assert [house("run", "crawl").code, house("run", "crawl").code] == [0, 0]
    assert house("run", "process", "--pin", "crawl=1", "--with-dependencies").code == 0
    assert house("show", "3", "--json").json["used"] == {"crawl": 1}
    assert house("run", "process", "--pin", "crawl").code == 2
    assert "give a dependency and the id of one of its runs" in house("run", "process", "--pin", "crawl").err
    assert "run 9 is no run of crawl that succeeded" in house("run", "process", "--pin", "crawl=9").err


def test_show_tells_result_config_and_uses(house: CommandLine) -> None:
    assert house("run", "process", "--with-dependencies").code == 0
    shown = house("show", "1", "--json").json
    assert shown["result"] == {"site": "garden", "pages": [0, 1, 2], "day": "2026-03-01", "price": "1.10"}
    assert (shown["used_by"], shown["config"]["args"]) == ([{"run": 2, "job": "process"}], ["garden"])
    lines = house("show", "2").lines
    assert "used      run 1 of crawl" in lines and 'result    {"rows":6}' in lines


@pytest.mark.slow
def test_a_protected_job_asks_first(house: CommandLine) -> None:
    write(house.folder, "jobs:\n  - {id: a, function: 'FUNCTIONS:crawl', args: [x], protect: true}\n")
    ended = house("run", "a")
    assert (ended.code, ended.err) == (2, "janitor: --yes-run is missing: a is protected: give --yes-run a to run it\n")
    assert house("run", "a", "--yes-run", "b").code == 2
    assert house("run", "a", "--yes-run", "a").code == 0
    assert typed(house, "b\n") == 2
    assert typed(house, "a\n") == 0
    assert ran(house) == ["a", "a"]


def typed(house: CommandLine, answer: str) -> int:
    """Run the protected job at a terminal, and type something."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, *house.program, "run", "a"],
        cwd=house.folder,
        env=house.whole({}),
        stdin=theirs,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    os.write(ours, answer.encode())
    code = process.wait(60)
    os.close(ours)
    os.close(theirs)
    return code


@pytest.mark.slow
def test_deleting_a_run_calls_its_cleanup_with_it_first(house: CommandLine) -> None:
    text = "jobs:\n  - {id: a, function: 'FUNCTIONS:crawl', args: [x], cleanup: 'FUNCTIONS:clean'}\n"
    write(house.folder, text)
    assert house("run", "a").code == 0
    ended = house("delete", "1", CLEANED="no")
    assert ended.code == 1
    reason = "cleanup of run 1 of a failed, so that its record stays: OSError: told not to"
    assert ended.err == f"janitor: {reason}\n"
    assert house("show", "1", "--json").json["kept_because"] == reason
    assert house("delete", "1", CLEANED="cleaned").code == 0
    told: Any = json.loads((house.folder / "cleaned").read_text(encoding="utf-8"))
    assert told == {"id": 1, "job": "a", "outcome": "succeeded", "pages": [0, 1, 2]}
    assert house("show", "1").code == 2
    assert [(row["kind"], row["note"]) for row in rows_with_notes(house)] == [("action", "deleted by anna: run 1")]
    assert "RUN is '1'" in house("delete", "1").err


def rows_with_notes(house: CommandLine) -> list[dict[str, str]]:
    return [{"kind": "run" if row["run"] else "action", "note": row["note"]} for row in house("history").rows]


@pytest.mark.slow
def test_show_follows_a_run_until_its_end(house: CommandLine) -> None:
    text = "jobs:\n  - {id: slow, function: 'FUNCTIONS:tells', args: [60]}\n"
    write(house.folder, text)
    with house.started("run", "slow") as running:
        wait_for(lambda: [row for row in house("history", "--json").json if row["outcome"] == "running"])
        with house.started("show", "1", "--follow") as following:
            out, _ = following.communicate(timeout=60)
        running.communicate(timeout=60)
    lines = out.splitlines()
    ends = lines.index(next(line for line in lines if line.startswith("run  ")))
    assert sum("step " in line for line in lines[:ends]) == 60 and "outcome   succeeded" in lines[ends:]
    assert "(tests/jobs_file/files.py:" in lines[1]


def test_a_line_that_a_shell_completes_exports_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    asked: list[Settings] = []

    def build(settings: Settings) -> Scheduler:
        asked.append(settings)
        return Scheduler(settings)

    shell = ShellComplete(verbs, {"obj": Assembly(build)}, "janitor", "_JANITOR_COMPLETE")
    found = shell.get_completions(["jobs", "--export"], "--j")
    assert [item.value for item in found] == ["--json"]
    assert asked == [] and capsys.readouterr().out == ""
