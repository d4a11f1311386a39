"""The verbs `backup`, `restore` and `restored`: a state database is copied, lost, and brought back."""

import pytest

from tests.command_line import CommandLine


@pytest.mark.slow
def test_a_lost_state_database_is_brought_back(house: CommandLine) -> None:
    house("run", "count")
    made = house("backup", "backup/janitor.db")
    assert made.code == 0 and "backup/janitor.db holds the state database: " in made.out
    refused = house("restore", "backup/janitor.db")
    assert refused.code == 1 and "there is a state database at var/janitor.db: stop its daemon" in refused.err
    house("run", "count")
    (house.folder / "var" / "janitor.db").unlink()
    assert house("history").code == 1
    restored = house("restore", "backup/janitor.db")
    assert restored.code == 0 and restored.out.startswith("the state database was restored from a backup: ")
    assert "up to id 41" in house("cursor", "count").out
    house("run", "count")
    newest, first = (int(row["run"]) for row in house("history").rows if row["run"])
    assert (newest > 10_001, first) == (True, 1)
    again = house("restored")
    assert again.code == 1 and "no backup was restored since" in again.err
