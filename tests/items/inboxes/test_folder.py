"""A folder as an inbox: complete files become items and move on; none is lost, replaced, or taken half written."""

import json
import os
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from janitor.errors import BadSetting, Cancelled, Rejected, Unavailable
from janitor.items.inboxes.folder import FolderInbox
from janitor.items.reading import Reading
from janitor.needs import ServiceNeed
from janitor.settings import Settings
from janitor.state import State
from tests.items.inboxes.receiving import Desk, Standing
from tests.small_engine import eventually

HOUR = 3600.0


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An empty folder."""
    made = tmp_path / "orders"
    made.mkdir()
    return made


def put(folder: Path, name: str, content: object, age: float = HOUR) -> Path:
    """Put a file there by renaming it, last changed so many seconds ago."""
    text = content if isinstance(content, str) else json.dumps(content)
    path, temporary = folder / name, folder / ".new.tmp"
    temporary.write_text(text)
    os.utime(temporary, (time.time() - age, time.time() - age))
    return temporary.rename(path)


def names(folder: Path) -> list[str]:
    """The names of the files in a folder."""
    return sorted(path.name for path in folder.iterdir() if not path.is_dir() or path.is_symlink())


def desk_for(state: State, folder: Path, **options: Any) -> Desk:
    settings = Settings.load({}, dotenv=None)
    return Desk(state, settings, FolderInbox("orders", folder, **{"poll_seconds": 0.05, **options}))


def test_each_file_becomes_one_item_and_moves(state: State, folder: Path) -> None:
    # Given: files of different ages, with and without keys. What happens: they are received. What must hold: each is an
    # item, the oldest first, by the key in it or by its name; and the files are in `done`.
    put(folder, "b.json", {"key": "second", "x": 2}, age=50)
    put(folder, "a.json", {"x": 3}, age=40)
    put(folder, "c.json", {"x": 1}, age=60)
    desk = desk_for(state, folder)
    assert desk.receive() == {"received": 3, "items": 3, "dead_letters": 0}
    assert desk.keys == ["c", "second", "a"]
    assert desk.items[0]["args"] == {"x": 1} and desk.items[0]["envelopes"] == [{"file": "c.json"}]
    assert names(folder / "done") == ["a.json", "b.json", "c.json"]
    assert names(folder) == names(folder / "bad") == []
    assert json.loads((folder / "done" / "a.json").read_text()) == {"x": 3}


def test_many_files_are_committed_in_batches(state: State, folder: Path) -> None:
    for number in range(1_200):
        put(folder, f"{number:04}.json", {"number": number})
    desk = desk_for(state, folder)
    assert desk.receive() == {"received": 1_200, "items": 1_200, "dead_letters": 0}
    assert sorted(desk.keys) == [f"{number:04}" for number in range(1_200)]
    assert desk.batches == [500, 500, 200] and len(names(folder / "done")) == 1_200


def test_a_file_that_is_no_item_moves_to_bad_with_the_reason(state: State, folder: Path) -> None:
    put(folder, "good.json", {"x": 1})
    put(folder, "broken.json", '{"x": ')
    put(folder, "list.json", [1, 2])
    desk = desk_for(state, folder)
    assert desk.receive() == {"received": 3, "items": 1, "dead_letters": 2}
    assert names(folder / "done") == ["good.json"] and names(folder) == []
    assert names(folder / "bad") == ["broken.json", "broken.json.reason.txt", "list.json", "list.json.reason.txt"]
    assert (folder / "bad" / "list.json.reason.txt").read_text() == "it is a list, and an object is wanted\n"
    assert (folder / "bad" / "broken.json").read_text() == '{"x": '


def test_a_name_that_is_there_gets_a_number(state: State, folder: Path) -> None:
    desk = desk_for(state, folder)
    for number in range(3):
        put(folder, "x.json", {"key": f"k{number}"})
        put(folder, "y.json", f"bad {number}")
        desk.receive()
    assert desk.keys == ["k0", "k1", "k2"]
    assert names(folder / "done") == ["x.1.json", "x.2.json", "x.json"]
    assert names(folder / "bad") == [
        "y.1.json",
        "y.1.json.reason.txt",
        "y.2.json",
        "y.2.json.reason.txt",
        "y.json",
        "y.json.reason.txt",
    ]
    assert [(folder / "bad" / name).read_text() for name in ("y.json", "y.1.json", "y.2.json")] == [
        "bad 0",
        "bad 1",
        "bad 2",
    ]


def test_what_is_no_complete_file_is_left_alone(state: State, folder: Path, tmp_path: Path) -> None:
    secret = tmp_path / "secret.json"
    secret.write_text('{"x": "elsewhere"}')
    for name in (".hidden.json", "x.tmp", "x.json.tmp", "x.JSON", "notes.txt"):
        put(folder, name, {"x": 1})
    (folder / "link.json").symlink_to(secret)
    (folder / "folder.json").mkdir()
    os.mkfifo(folder / "pipe.json")
    before = names(folder)
    desk = desk_for(state, folder)
    assert desk.receive() == {"received": 0, "items": 0, "dead_letters": 0}
    assert desk.items == [] and names(folder) == before and secret.exists()


def test_a_file_that_is_still_written_waits(state: State, folder: Path) -> None:
    # Given: a writer that does not rename. What happens: it writes a file in pieces, each within a second of the one
    # before. What must hold: the file is taken once it is whole, and nothing of it becomes a dead letter.
    desk = desk_for(state, folder)
    whole = json.dumps({"key": "slow", "text": "x" * 100})
    with Standing(desk):
        with (folder / "slow.json").open("w") as file:
            for at in range(0, len(whole), 12):
                file.write(whole[at : at + 12])
                file.flush()
                assert desk.items == [] and desk.letters == []
                time.sleep(0.15)
        eventually(lambda: desk.keys == ["slow"])
    assert desk.letters == []


def test_a_file_of_another_clock_is_taken_once_it_stands_still(state: State, folder: Path) -> None:
    put(folder, "ahead.json", {"x": 1}, age=-HOUR)
    desk = desk_for(state, folder)
    assert desk.receive() == {"received": 1, "items": 1, "dead_letters": 0}
    assert desk.keys == ["ahead"]


def test_nothing_moves_before_it_is_committed(state: State, folder: Path) -> None:
    put(folder, "a.json", {"x": 1})
    put(folder, "b.json", "no JSON")
    desk = desk_for(state, folder)

    def refuse(_: object) -> None:
        raise Unavailable("the state database is away")

    desk.before = refuse
    with pytest.raises(Unavailable):
        desk.receive()
    assert names(folder) == ["a.json", "b.json"] and desk.items == []
    desk.before = lambda _: None
    desk.receive()
    assert desk.keys == ["a"] and names(folder) == []


def test_a_crash_before_the_move_repeats_harmlessly(state: State, folder: Path) -> None:
    # Given: a process that dies after the commit and before the move. What happens: the files are read again. What must
    # hold: no item is made twice, nobody is told twice, and the files move.
    for number in range(10):
        put(folder, f"{number}.json", {"number": number})
    desk = desk_for(state, folder)

    def die(_: object) -> None:
        raise ConnectionResetError("as if the process had died")

    desk.after = die
    with pytest.raises(ConnectionResetError):
        desk.receive()
    before = desk.items
    assert len(before) == 10 and len(names(folder)) == 10
    desk.after = lambda _: None
    desk.receive()
    assert desk.items == before and names(folder) == [] and len(names(folder / "done")) == 10


def test_a_file_that_comes_in_place_of_another_is_not_lost(state: State, folder: Path) -> None:
    # Given: a file that was read. What happens: before it moves, another comes under its name, or it is written to.
    # What must hold: what came is read too.
    put(folder, "a.json", {"key": "first"})
    put(folder, "b.json", {"key": "b", "version": 1})
    desk = desk_for(state, folder, reading=Reading(on_duplicate="change"))

    def replace(_: object) -> None:
        desk.after = lambda _: None
        put(folder, "a.json", {"key": "second"})
        (folder / "b.json").write_text('{"key": "b", "version": 2}')

    desk.after = replace
    desk.receive()
    assert desk.keys == ["first", "b", "second"]
    assert desk.items[1]["args"] == {"key": "b", "version": 2}
    assert names(folder) == [] and names(folder / "done") == ["a.json", "b.json"]


def test_a_file_that_is_taken_away_ends_nothing(state: State, folder: Path) -> None:
    for name in "abc":
        put(folder, f"{name}.json", {})
    desk = desk_for(state, folder)

    def take_away(_: object) -> None:
        (folder / "b.json").unlink()

    desk.after = take_away
    assert desk.receive() == {"received": 3, "items": 3, "dead_letters": 0}
    assert names(folder) == [] and names(folder / "done") == ["a.json", "c.json"]


def test_a_file_that_is_too_large_is_not_read_as_a_whole(state: State, folder: Path) -> None:
    put(folder, "large.json", json.dumps({"text": "x" * 5_000}))
    put(folder, "small.json", {"x": 1})
    desk = desk_for(state, folder, reading=Reading(most_bytes=1_000))
    read: list[int] = []
    desk.before = lambda messages: read.extend(len(message.body) for message in messages)
    assert desk.receive() == {"received": 2, "items": 1, "dead_letters": 1}
    assert max(read) == 1_001
    assert names(folder / "bad") == ["large.json", "large.json.reason.txt"]
    assert (folder / "bad" / "large.json.reason.txt").read_text().startswith("it has 5,0")


def test_names_that_no_database_takes_end_nothing(state: State, folder: Path) -> None:
    strange = os.fsdecode(b"caf\xe9.json")
    longest = "x" * 250 + ".json"
    put(folder, strange, {"x": 1})
    put(folder, longest, {"x": 2})
    put(folder, " blank.json", {"x": 3})
    desk = desk_for(state, folder)
    assert desk.receive() == {"received": 3, "items": 2, "dead_letters": 1}
    assert sorted(desk.keys) == ["caf\ufffd", "x" * 250]
    assert names(folder) == [] and names(folder / "bad") == [" blank.json", " blank.json.reason.txt"]
    assert len(names(folder / "done")) == 2


def test_an_idle_inbox_stops_when_it_is_asked(state: State, folder: Path) -> None:
    desk = desk_for(state, folder, poll_seconds=600.0)
    with Standing(desk) as standing:
        eventually(lambda: (folder / "bad").is_dir())
        standing.stop()
    assert standing.error is None and standing.counts == {"received": 0, "items": 0, "dead_letters": 0}
    with Standing(desk) as standing:
        standing.stop(Cancelled("by Anna"))
    assert isinstance(standing.error, Cancelled)


def test_a_folder_that_is_not_there_is_rejected(state: State, folder: Path) -> None:
    with pytest.raises(Rejected, match="^the folder '.*/nowhere' is not there: make it, or correct the path$"):
        desk_for(state, folder / "nowhere").receive()
    assert not (folder / "nowhere").exists()


def test_a_full_disk_loses_nothing(state: State, tmp_path: Path) -> None:
    small = tmp_path / "small"
    small.mkdir()
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "none", str(small)], capture_output=True)
    if made.returncode:
        pytest.skip("this test needs the right to mount a small disk")
    try:
        put(small, "a.json", "no JSON")
        (small / "bad").mkdir()
        (small / "filler").write_bytes(b"x" * 56 * 1024)
        with pytest.raises(OSError):
            (small / "more").write_bytes(b"x" * 56 * 1024)
        desk = desk_for(state, small)
        with pytest.raises(Rejected, match="make room there"):
            desk.receive()
        assert (small / "a.json").read_text() == "no JSON"
        (small / "filler").unlink()
        (small / "more").unlink()
        desk.receive()
        assert names(small / "bad") == ["a.json", "a.json.reason.txt"]
    finally:
        subprocess.run(["umount", str(small)], check=True)


def look(folder: Path) -> Sequence[str]:
    (need,) = FolderInbox("orders", folder).requires
    assert isinstance(need, ServiceNeed)
    return need.look(Settings.load({}, dotenv=None))


def test_check_looks_at_the_folder_and_takes_nothing(folder: Path) -> None:
    put(folder, "a.json", {})
    put(folder, ".b.json", {})
    before = names(folder)
    assert look(folder) == [f"the folder {folder} can be read and written; 1 files wait"]
    assert names(folder) == before and not (folder / "done").exists()
    with pytest.raises(Rejected, match="is not there: make it"):
        look(folder / "nowhere")
    with pytest.raises(Rejected, match="is not there: make it"):
        look(folder / "a.json")


def test_a_path_does_not_change_with_the_working_folder(
    folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    inbox = FolderInbox("orders", "orders")
    monkeypatch.chdir("/")
    assert inbox.path == folder


@pytest.mark.parametrize(("options", "name"), [({"folder": " "}, "folder"), ({"poll_seconds": 0}, "poll_seconds")])
def test_values_that_cannot_be_are_refused(options: dict[str, Any], name: str) -> None:
    with pytest.raises(BadSetting, match=f"^{name} "):
        FolderInbox(**{"name": "in", "folder": "x", **options})
