"""The verb `history`: what is told of runs, and of what people did."""

from tests.command_line import USER, CommandLine


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
    assert rows[1]["note"] == f"paused by {USER}"
    assert rows[2]["counts"] == "checked=7 inserted=5"
    assert [row["job"] for row in house("history", "count", "--limit", "1").rows] == ["count"]
    found = house("history", "--json").json
    assert [row["kind"] for row in found] == ["run", "action", "run"]
    assert found[1]["actor"] == USER and found[1]["action"] == "paused"
    assert found[2]["counts"] == {"checked": 7, "inserted": 5} and found[2]["seconds"] > 0
