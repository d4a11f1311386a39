"""The verbs `pause` and `resume`: what they print, and what is on record."""

import re

from tests.command_line import USER, CommandLine
from tests.verbs.house import recorded


def test_pause_lasts_until_resume(house: CommandLine) -> None:
    assert house("pause", "count").out == "count is paused\n"
    assert house("pause", "count").out == "count was paused already\n"
    row = house("jobs").rows[0]
    assert row["next_run_at"] == "" and re.fullmatch(rf"paused since .* by {USER}", row["note"])
    assert house("resume", "count").out == "count is resumed\n"
    assert house("resume", "count").out == "count was not paused\n"
    assert house("jobs").rows[0]["next_run_at"] != ""
    assert recorded(house, "SELECT actor, action, job FROM actions") == [
        (USER, "paused", "count"),
        (USER, "resumed", "count"),
    ]
