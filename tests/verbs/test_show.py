"""The verb `show`: all that is told of a run."""

import re

import pytest

from tests.command_line import CommandLine, wait_for
from tests.jobs_file.files import write
from tests.verbs.house import is_running


def test_show_has_the_log_and_the_traceback(house: CommandLine) -> None:
    house("run", "fail")
    shown = house("show", "1")
    assert shown.code == 0
    assert "Traceback (most recent call last)" in shown.out and "ValueError: cannot use it" in shown.out
    assert re.search(r"^outcome +failed$", shown.out, re.MULTILINE)
    found = house("show", "1", "--json").json
    assert found["outcome"] == "failed" and found["reason"] == "ValueError: cannot use it"
    assert found["log"][0]["message"] == "started"
    assert found["traceback"].endswith("ValueError: cannot use it\nat all\n")


def test_show_tells_how_far_a_run_is(house: CommandLine) -> None:
    with house.started("run", "walk"):
        wait_for(lambda: is_running(house, "walk"))
        shown, found = house("show", "1"), house("show", "1", "--json").json
    assert re.search(r"^progress +\d+ of 600 walking$", shown.out, re.MULTILINE)
    assert found["outcome"] == "running" and found["progress"][""]["total"] == 600


def test_show_tells_result_config_and_uses(chain: CommandLine) -> None:
    assert chain("run", "process", "--with-dependencies").code == 0
    shown = chain("show", "1", "--json").json
    assert shown["result"] == {"site": "garden", "pages": [0, 1, 2], "day": "2026-03-01", "price": "1.10"}
    assert (shown["used_by"], shown["config"]["args"]) == ([{"run": 2, "job": "process"}], ["garden"])
    lines = chain("show", "2").lines
    assert "used      run 1 of crawl" in lines and 'result    {"rows":6}' in lines


@pytest.mark.slow
def test_show_follows_a_run_until_its_end(chain: CommandLine) -> None:
    text = "jobs:\n  - {id: slow, function: 'FUNCTIONS:tells', args: [60]}\n"
    write(chain.folder, text)
    with chain.started("run", "slow") as running:
        wait_for(lambda: [row for row in chain("history", "--json").json if row["outcome"] == "running"])
        with chain.started("show", "1", "--follow") as following:
            out, _ = following.communicate(timeout=60)
        running.communicate(timeout=60)
    lines = out.splitlines()
    ends = lines.index(next(line for line in lines if line.startswith("run  ")))
    assert sum("step " in line for line in lines[:ends]) == 60 and "outcome   succeeded" in lines[ends:]
    assert "(tests/jobs_file/files.py:" in lines[1]
