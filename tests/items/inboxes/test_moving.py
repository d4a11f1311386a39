"""Moving files on: no file is replaced or lost, whatever stands where it goes."""

import os
import subprocess
from pathlib import Path

import pytest

from janitor.errors import Rejected
from janitor.items.inboxes.arrivals import Arrival
from janitor.items.inboxes.moving import BAD, DONE, check_folder, make_folders, move, set_aside


def put(folder: Path, name: str, content: str = "{}") -> Arrival:
    path = folder / name
    path.write_text(content)
    return Arrival.of(name, path.lstat())


def files(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in sorted(folder.iterdir()) if path.is_file()}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the folders into which files move."""
    make_folders(tmp_path)
    make_folders(tmp_path)
    return tmp_path


def test_a_file_moves_under_its_name_or_a_number(folder: Path) -> None:
    for number in range(3):
        move(folder, put(folder, "x.json", str(number)), DONE)
    assert files(folder / DONE) == {"x.json": "0", "x.1.json": "1", "x.2.json": "2"} and files(folder) == {}


def test_a_link_that_leads_nowhere_is_not_replaced(folder: Path, tmp_path: Path) -> None:
    (folder / DONE / "x.json").symlink_to(tmp_path / "nowhere")
    move(folder, put(folder, "x.json", "0"), DONE)
    assert (folder / DONE / "x.json").is_symlink() and (folder / DONE / "x.1.json").read_text() == "0"


def test_the_reason_lies_beside_a_bad_file(folder: Path) -> None:
    for number in range(2):
        set_aside(folder, put(folder, "x.json", str(number)), f"reason {number}")
    assert files(folder / BAD) == {
        "x.json": "0",
        "x.json.reason.txt": "reason 0\n",
        "x.1.json": "1",
        "x.1.json.reason.txt": "reason 1\n",
    }


def test_a_file_that_came_in_its_place_goes_back(folder: Path) -> None:
    read = put(folder, "x.json", "first")
    put(folder, "other.tmp", "second")
    (folder / "other.tmp").rename(folder / "x.json")
    move(folder, read, DONE)
    assert files(folder) == {"x.json": "second"} and files(folder / DONE) == {}
    set_aside(folder, read, "why")
    assert files(folder) == {"x.json": "second"} and files(folder / BAD) == {}


def test_a_file_that_was_written_to_goes_back(folder: Path) -> None:
    read = put(folder, "x.json", "first")
    (folder / "x.json").write_text("second, and longer")
    move(folder, read, DONE)
    assert files(folder) == {"x.json": "second, and longer"} and files(folder / DONE) == {}


def test_a_file_that_is_gone_is_no_error(folder: Path) -> None:
    read = put(folder, "x.json")
    (folder / "x.json").unlink()
    move(folder, read, DONE)
    set_aside(folder, read, "why")
    assert files(folder / DONE) == files(folder / BAD) == {}


def test_the_longest_names_move_too(folder: Path) -> None:
    name = "é" * 125 + ".json"
    for number in range(2):
        set_aside(folder, put(folder, name, str(number)), "why")
    found = files(folder / BAD)
    assert sorted(found.values()) == ["0", "1", "why\n", "why\n"]
    assert max(len(os.fsencode(one)) for one in found) <= 255


def test_what_cannot_be_moved_is_rejected(folder: Path) -> None:
    read = put(folder, "x.json")
    (folder / DONE).rmdir()
    with pytest.raises(Rejected, match="^the folder '.*/done' is gone: make it again$"):
        move(folder, read, DONE)
    assert files(folder) == {"x.json": "{}"}


def test_another_disk_is_rejected(folder: Path) -> None:
    made = subprocess.run(["mount", "-t", "tmpfs", "none", str(folder / DONE)], capture_output=True)
    if made.returncode:
        pytest.skip("this test needs the right to mount a disk")
    try:
        with pytest.raises(Rejected, match="^'.*/done' must be on the disk of '.*', and no link$"):
            move(folder, put(folder, "x.json"), DONE)
        assert files(folder) == {"x.json": "{}"}
    finally:
        subprocess.run(["umount", str(folder / DONE)], check=True)


def test_a_folder_is_looked_at_and_not_changed(folder: Path) -> None:
    put(folder, "a.json")
    put(folder, ".b.json")
    put(folder, "c.tmp")
    before = files(folder)
    assert check_folder(folder).endswith("can be read and written; 1 files wait")
    assert files(folder) == before
    with pytest.raises(Rejected, match="is not there: make it, or correct the path$"):
        check_folder(folder / "nowhere")
    with pytest.raises(Rejected, match="is not there: make it, or correct the path$"):
        make_folders(folder / "nowhere")
