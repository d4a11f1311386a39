"""Whether the state database can be written, and what keeps its file from being made."""

from pathlib import Path

from janitor.checks.state import obstacle_to, of_state
from tests.servers import SqlServer
from tests.small_engine import migrated, settings_for


def test_nothing_keeps_a_file_from_being_made_or_written(tmp_path: Path) -> None:
    there = tmp_path / "there"
    there.touch()
    assert obstacle_to(there) is None
    assert obstacle_to(tmp_path / "new") is None
    assert obstacle_to(tmp_path / "no" / "such" / "folder" / "new") is None


def test_a_folder_in_the_place_of_the_file_is_an_obstacle(tmp_path: Path) -> None:
    assert obstacle_to(tmp_path) == f"{tmp_path} is not a file that may be written"


def test_a_file_in_the_place_of_a_folder_is_an_obstacle(tmp_path: Path) -> None:
    (tmp_path / "file").touch(0o755)  # a folder's rights: that it is no folder is the obstacle
    assert obstacle_to(tmp_path / "file" / "new") == f"nothing may be made in {tmp_path / 'file'}"


def test_a_state_database_that_may_only_be_read_is_wrong(mariadb: SqlServer, tmp_path: Path) -> None:
    url = mariadb.create_database()
    migrated(url).close()
    mariadb.execute("CREATE USER looker", f"GRANT SELECT ON `{url.database}`.* TO looker")
    (found,) = of_state(settings_for(mariadb.url(url.database or "", "looker"), tmp_path))
    mariadb.execute("DROP USER looker")
    assert found.verdict == "WRONG" and "UPDATE command denied" in found.text
