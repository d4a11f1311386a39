"""The verb `cursor`: it is shown, set, and refused."""

from tests.command_line import USER, CommandLine, wait_for
from tests.verbs.house import is_running, recorded


def test_cursor_is_shown_and_set(house: CommandLine) -> None:
    assert house("cursor", "count").out == "count has no cursor: its next run begins anew\n"
    assert house("cursor", "count", "--set", "7").code == 2
    house("run", "count")
    assert "up to id 41:" in house("cursor", "count").out
    ended = house("cursor", "count", "--set", "17")
    assert ended.code == 0 and "up to id 17:" in ended.out
    assert house("cursor", "count", "--json").json["settled"] == 17
    assert house("cursor", "count", "--set", "start").out == "count has no cursor: its next run begins anew\n"
    assert house("cursor", "count", "--json").out == "null\n"
    assert recorded(house, "SELECT actor, action, detail FROM actions") == [
        (USER, "cursor set", "17; it was at 41"),
        (USER, "cursor set", "start; it was at 17"),
    ]


def test_a_bad_cursor_is_refused_and_changes_nothing(house: CommandLine) -> None:
    house("run", "count")
    ended = house("cursor", "count", "--set", "-3")
    assert ended.code == 2 and "--set is '-3': give the id to go on after" in ended.err
    assert house("cursor", "count", "--json").json["top"] == 41
    assert recorded(house, "SELECT 1 FROM actions") == []


def test_the_cursor_of_a_running_job_is_not_set(house: CommandLine) -> None:
    with house.started("run", "walk"):
        wait_for(lambda: is_running(house, "walk"))
        ended = house("cursor", "walk", "--set", "1")
    assert ended.code == 1
    assert ended.err == "janitor: walk is running (run 1): set its cursor once it has ended, or pause it first\n"
