"""The verb `quarantine`: rows are listed, retried and dropped."""

from tests.command_line import CommandLine


def test_quarantined_rows_are_retried_and_dropped(house: CommandLine) -> None:
    house("run", "count")
    assert house("quarantine", "count", "--retry", "DN1").out.startswith("1 quarantined rows of count are looked at")
    assert house("quarantine", "--drop", "DN1", "--note", "gone").code == 2
    assert house("quarantine", "count", "--drop", "DN1").code == 2
    assert house("quarantine", "count", "--drop", "DN1", "--note", "gone").code == 0
    assert [row["key"] for row in house("quarantine", "count").rows] == ["DN2"]
    assert [row["key"] for row in house("quarantine", "--dropped").rows] == ["DN1"]


def test_quarantine_lists_keys_with_their_reasons(house: CommandLine) -> None:
    house("run", "count")
    rows = house("quarantine").rows
    assert [(row["job"], row["key"], row["items"], row["reason"]) for row in rows] == [
        ("count", "DN1", "1", "no location"),
        ("count", "DN2", "1", "no user"),
    ]
    assert house("quarantine", "fail", "--json").json == []
    assert house("quarantine", "count", "--json").json[0]["key"] == "DN1"
