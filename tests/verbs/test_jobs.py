"""The verb `jobs`: as text in a pipe, as JSON, as a table in a terminal."""

import re
import shutil

from tests.command_line import CommandLine
from tests.verbs.house import in_terminal


def test_jobs_are_listed_as_tab_separated_text(house: CommandLine) -> None:
    ended = house("jobs")
    assert (ended.code, ended.err) == (0, "")
    rows = {row["job"]: row for row in ended.rows}
    assert list(rows) == ["count", "fail", "decline", "overrun", "walk", "stick", "over"]
    assert rows["count"]["schedule"] == "every 1h"
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:00:00\.000Z", rows["count"]["next_run_at"])
    assert rows["walk"]["next_run_at"] == "" and rows["walk"]["note"] == "disabled: it is switched off here"
    assert rows["over"]["next_run_at"] == ""


def test_jobs_are_listed_before_there_is_a_state_database(house: CommandLine) -> None:
    shutil.rmtree(house.folder / "var")
    ended = house("jobs")
    assert ended.code == 0 and "count" in [row["job"] for row in ended.rows]
    said = "there is no state database at var/janitor.db yet, so nothing is known of past runs; `start` makes it"
    assert ended.err == f"janitor: {said}\n"
    assert not (house.folder / "var").exists()


def test_jobs_as_json_tell_the_last_outcome(house: CommandLine) -> None:
    assert house("run", "fail").code == 1
    found = {row["job"]: row for row in house("jobs", "--json").json}
    assert found["fail"]["last_outcome"] == "failed" and found["fail"]["last_run"] == 1
    assert "cannot use it" in found["fail"]["last_reason"]
    assert set(found["count"]) == {
        *("job", "schedule", "enabled", "disabled_because", "paused_at", "paused_by", "next_run_at"),
        *("last_run", "last_outcome", "last_at", "last_reason"),
        *("title", "tags", "dependencies", "status", "outdated_by"),
    }
    assert found["count"]["enabled"] is True and found["count"]["last_outcome"] is None
    assert found["walk"]["enabled"] is False


def test_jobs_are_a_table_in_a_terminal(house: CommandLine) -> None:
    text, code = in_terminal(house, "jobs")
    assert code == 0
    assert "next run (UTC)" in text and "every 1h" in text and "\t" not in text
