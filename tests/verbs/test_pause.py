"""The verbs `pause`, `resume` and `cancel`: what they print, and what is on record."""

import re

from tests.command_line import CommandLine, wait_for
from tests.verbs.house import recorded


def test_pause_lasts_until_resume(house: CommandLine) -> None:
    assert house("pause", "count").out == "count is paused\n"
    assert house("pause", "count").out == "count was paused already\n"
    row = house("jobs").rows[0]
    assert row["next_run_at"] == "" and re.fullmatch(r"paused since .* by anna", row["note"])
    assert house("resume", "count").out == "count is resumed\n"
    assert house("resume", "count").out == "count was not paused\n"
    assert house("jobs").rows[0]["next_run_at"] != ""
    assert recorded(house, "SELECT actor, action, job FROM actions") == [
        ("anna", "paused", "count"),
        ("anna", "resumed", "count"),
    ]


def test_a_run_is_cancelled_by_its_id(house: CommandLine) -> None:
    with house.started("run", "walk") as process:
        [(run_id,)] = wait_for(lambda: recorded(house, "SELECT id FROM runs WHERE outcome IS NULL"))
        assert house("cancel", str(run_id)).out == f"run {run_id} is asked to stop\n"
        assert process.wait(60) == 5
    assert "cancelled by anna" in house("show", str(run_id)).out
    ended = house("cancel", str(run_id))
    assert ended.code == 1 and f"run {run_id} of walk has ended: cancelled" in ended.err
