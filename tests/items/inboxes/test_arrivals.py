"""The files that have arrived in a folder: complete, the oldest first, and read only if they are still the same."""

import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from janitor.errors import Rejected
from janitor.items.inboxes import arrivals as module
from janitor.items.inboxes.arrivals import Arrivals, CannotRead
from tests.small_engine import eventually


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that everybody may read."""
    with tempfile.TemporaryDirectory(prefix="janitor-arrivals-") as made:
        os.chmod(made, 0o755)
        yield Path(made)


def put(folder: Path, name: str, content: str = "{}", age: float = 3600.0) -> Path:
    path = folder / name
    path.write_text(content)
    os.utime(path, (time.time() - age, time.time() - age))
    return path


def found(arrivals: Arrivals) -> list[str]:
    return [arrival.name for arrival in arrivals.look()]


def test_the_oldest_file_comes_first(folder: Path) -> None:
    for name, age in (("a.json", 20), ("c.json", 30), ("b.json", 20)):
        put(folder, name, age=age)
    # Two files of the same second come in the order of their names.
    os.utime(folder / "b.json", ns=(0, (folder / "a.json").stat().st_mtime_ns))
    assert found(Arrivals(folder)) == ["c.json", "a.json", "b.json"]


def test_only_plain_files_are_listed(folder: Path) -> None:
    put(folder, "a.json")
    put(folder, "a.txt")
    (folder / "link.json").symlink_to(folder / "a.json")
    (folder / "folder.json").mkdir()
    os.mkfifo(folder / "pipe.json")
    assert found(Arrivals(folder)) == ["a.json"]


def test_so_many_are_listed_at_a_time(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_LISTED", 3)
    for number in range(5):
        put(folder, f"{number}.json", age=100 - number)
    assert found(Arrivals(folder)) == ["0.json", "1.json", "2.json"]


def test_a_file_that_changes_waits_until_it_stands_still(folder: Path) -> None:
    arrivals = Arrivals(folder)
    put(folder, "old.json")
    path = put(folder, "new.json", age=0)
    assert found(arrivals) == ["old.json"] and arrivals.has_unsettled
    path.write_text('{"more": 1}')
    assert found(arrivals) == ["old.json"]
    eventually(lambda: sorted(found(arrivals)) == ["new.json", "old.json"])
    assert not arrivals.has_unsettled


def test_a_file_of_a_clock_that_is_ahead_is_not_old(folder: Path) -> None:
    arrivals = Arrivals(folder)
    put(folder, "ahead.json", age=-7200)
    assert found(arrivals) == []
    eventually(lambda: found(arrivals) == ["ahead.json"])


def test_a_file_is_read_only_if_it_is_the_one_that_was_listed(folder: Path, tmp_path: Path) -> None:
    arrivals = Arrivals(folder)
    for name in ("same", "written", "replaced", "linked", "gone"):
        put(folder, f"{name}.json", f'"{name}"')
    listed = {arrival.stem: arrival for arrival in arrivals.look()}
    (folder / "written.json").write_text('"longer than before"')
    put(folder, "other.tmp").rename(folder / "replaced.json")
    (folder / "linked.json").rename(tmp_path / "elsewhere")
    (folder / "linked.json").symlink_to(tmp_path / "elsewhere")
    (folder / "gone.json").unlink()
    read = {name: arrivals.read(arrival, 100) for name, arrival in listed.items()}
    assert read == {"same": b'"same"', "written": None, "replaced": None, "linked": None, "gone": None}
    assert arrivals.read(listed["same"], 3) == b'"sa'


@pytest.mark.skipif(os.getuid() != 0, reason="only root may become somebody else")
def test_a_file_that_may_not_be_read_is_told(folder: Path) -> None:
    put(folder, "closed.json").chmod(0)
    arrivals = Arrivals(folder)
    (closed,) = arrivals.look()
    os.seteuid(65_534)
    try:
        with pytest.raises(CannotRead, match=r"^it cannot be read \(Permission denied\)$"):
            arrivals.read(closed, 100)
    finally:
        os.seteuid(0)


def test_a_folder_that_cannot_be_read_is_rejected(folder: Path) -> None:
    with pytest.raises(Rejected, match="^the folder '.*/nowhere' cannot be read .*: make it, or let Janitor's user"):
        Arrivals(folder / "nowhere").look()


def test_names_are_shown_as_any_database_takes_them(folder: Path) -> None:
    put(folder, os.fsdecode(b"caf\xe9.json"))
    put(folder, "é.json", age=10)
    assert [(arrival.stem, arrival.shown) for arrival in Arrivals(folder).look()] == [
        ("caf\ufffd", "caf\ufffd.json"),
        ("é", "é.json"),
    ]
