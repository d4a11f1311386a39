"""The verbs `history` and `show`: what is told of runs, and of what people did."""

import re

from tests.command_line import CommandLine, wait_for
from tests.verbs.house import is_running


def test_history_tells_runs_and_what_people_did(house: CommandLine) -> None:
    house("run", "count")
    house("pause", "count")
    house("run", "fail")
    rows = house("history").rows
    assert [(row["run"], row["job"], row["outcome"]) for row in rows] == [
        ("2", "fail", "failed"),
        ("", "count", ""),
        ("1", "count", "succeeded"),
    ]
    assert rows[1]["note"] == "paused by anna"
    assert rows[2]["counts"] == "checked=7 inserted=5"
    assert [row["job"] for row in house("history", "count", "--limit", "1").rows] == ["count"]
    found = house("history", "--json").json
    assert [row["kind"] for row in found] == ["run", "action", "run"]
    assert found[1]["actor"] == "anna" and found[1]["action"] == "paused"
    assert found[2]["counts"] == {"checked": 7, "inserted": 5} and found[2]["seconds"] > 0


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
