"""Results in a folder: whole or not there, under names that no key can lead out of the folder."""

import gzip
import os
import shutil
import signal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from janitor.errors import BadSetting, Rejected, Unavailable
from janitor.items.stores.folder import FolderStore, as_file_name
from janitor.settings import Settings
from tests.forked import code_of_child
from tests.random_inputs import inputs

SETTINGS = Settings.load({}, dotenv=None)
AWKWARD = ["../../x", "..", ".", "a/b", "/etc/passwd", ".hidden", "größe", "a%2Fb", "a b", "\ud800", "con", "-rf", "~"]


def put(store: FolderStore, key: str = "K7", content: bytes = b'{"cells": 3}') -> Path:
    return store.put(SETTINGS, "analyses", key, content, {"experiment": "E5"}).path


def files(folder: Path) -> list[str]:
    """Every file below a folder, hidden ones too."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_a_result_is_kept_and_found(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    assert store.find(SETTINGS, "analyses", "K7") is None
    assert put(store) == tmp_path / "analyses" / "K7.json"
    found = store.find(SETTINGS, "analyses", "K7")
    assert found is not None and found.address == f"{tmp_path}/analyses/K7.json"
    assert found.read(12) == b'{"cells": 3}' and found.read(11) is None
    assert files(tmp_path) == ["analyses/K7.json"]


def test_a_result_may_be_kept_again(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    assert put(store, content=b"a longer one") == put(store, content=b"new")
    assert (tmp_path / "analyses" / "K7.json").read_bytes() == b"new" and len(files(tmp_path)) == 1


def test_a_packed_result_comes_back_unpacked(tmp_path: Path) -> None:
    store = FolderStore(str(tmp_path), "{key}", gzip=True)
    assert put(store) == tmp_path / "K7.gz"
    assert gzip.decompress((tmp_path / "K7.gz").read_bytes()) == b'{"cells": 3}'
    found = store.find(SETTINGS, "analyses", "K7")
    assert found is not None and found.read(12) == b'{"cells": 3}' and found.read(11) is None
    (tmp_path / "K7.gz").write_bytes(b"no gzip")
    with pytest.raises(Rejected, match="K7.gz is not packed by gzip, or is damaged"):
        found.read(100)


def test_an_empty_file_is_no_result(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    put(store).write_bytes(b"")
    assert store.find(SETTINGS, "analyses", "K7") is None


def test_a_result_that_was_removed_meanwhile_is_none(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    put(store)
    found = store.find(SETTINGS, "analyses", "K7")
    shutil.rmtree(tmp_path / "analyses")
    assert found is not None and found.read(100) is None


@pytest.mark.parametrize("key", AWKWARD)
def test_no_key_leads_out_of_the_folder(key: str, tmp_path: Path) -> None:
    folder = tmp_path / "results"
    folder.mkdir()
    path = put(FolderStore(folder), key)
    assert path.resolve().parent == folder / "analyses" and files(tmp_path) == [f"results/analyses/{path.name}"]
    found = FolderStore(folder).find(SETTINGS, "analyses", key)
    assert found is not None and found.read(100) == b'{"cells": 3}'
    assert put(FolderStore(folder, "{key}"), key).resolve().parent == folder


@example("x" * 181, "x" * 100)
@example(".", "..")
@example(".a", "a")
@given(st.text(), st.text())
def test_different_keys_have_different_names(one: str, other: str) -> None:
    names = as_file_name(one), as_file_name(other)
    assert (names[0] == names[1]) == (one == other)
    for name in names:
        assert len(name) <= 180 and name.isascii() and "/" not in name and not name.startswith(".")


def test_the_name_of_a_long_key_is_no_other_keys() -> None:
    long = as_file_name("x" * 255)
    assert len(long) == 165 and as_file_name(long) != long and as_file_name("x" * 254) != long


@pytest.mark.slow
@hypothesis_settings(max_examples=inputs(30), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(min_size=1, max_size=255))
def test_any_key_can_be_kept(tmp_path: Path, key: str) -> None:
    path = put(FolderStore(tmp_path), key)
    assert path.read_bytes() == b'{"cells": 3}' and path.parent == tmp_path / "analyses"
    path.unlink()


def test_a_folder_that_is_not_there_gets_nothing(tmp_path: Path) -> None:
    # Given: a disk that is not mounted. What must hold: nothing is written beneath it, and nothing counts as missing.
    store = FolderStore(tmp_path / "mount")
    for act in (lambda: put(store), lambda: store.find(SETTINGS, "a", "b"), lambda: store.look(SETTINGS)):
        with pytest.raises(
            Rejected, match=r"^the folder .*/mount for results is not there: make it, or mount its disk$"
        ):
            act()
    assert files(tmp_path) == []


def test_a_process_that_is_killed_leaves_no_half_result(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Given: a result of before. What happens: the process is killed once the new one is written, and not yet renamed.
    store = FolderStore(tmp_path)
    put(store, content=b"the old one")

    def die(*_: Any) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    def act() -> None:
        monkeypatch.setattr(Path, "replace", die)
        put(store, content=b"the new one")

    assert code_of_child(act) == -signal.SIGKILL
    found = store.find(SETTINGS, "analyses", "K7")
    assert found is not None and found.read(100) == b"the old one"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount a small disk")
def test_a_full_disk_keeps_what_was_there(tmp_path: Path) -> None:
    folder = tmp_path / "small"
    folder.mkdir()
    if os.system(f"mount -t tmpfs -o size=64k tmpfs {folder} 2>/dev/null"):
        pytest.skip("no disk can be mounted here")
    try:
        store = FolderStore(folder)
        put(store, content=b"small")
        with pytest.raises(
            Rejected, match=r"^the disk is full under .*/K7.json: free some space there \(No space left"
        ):
            put(store, content=bytes(200_000))
        assert files(folder) == ["analyses/K7.json"] and (folder / "analyses" / "K7.json").read_bytes() == b"small"
    finally:
        os.system(f"umount {folder}")


def test_what_is_in_the_way_is_told(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    (tmp_path / "analyses").write_text("a file")
    with pytest.raises(Rejected, match="/analyses is in the way: a folder is wanted there"):
        put(store)
    assert store.find(SETTINGS, "analyses", "K7") is None
    (tmp_path / "analyses").unlink()
    (tmp_path / "analyses" / "K7.json").mkdir(parents=True)
    with pytest.raises(Rejected, match="K7.json is in the way: a file is wanted there"):
        put(store)
    assert files(tmp_path) == []


@pytest.mark.skipif(not Path("/proc/self/mountinfo").exists(), reason="it needs a folder that nobody may write")
def test_a_folder_that_may_not_be_written_is_told() -> None:
    with pytest.raises((Rejected, Unavailable), match="^/proc(/analyses/K7.json)? cannot be used"):
        put(FolderStore("/proc"))
    with pytest.raises((Rejected, Unavailable), match="^/proc cannot be used"):
        FolderStore("/proc").look(SETTINGS)


def test_check_leaves_nothing_behind(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    assert store.look(SETTINGS) == (f"{tmp_path} can be written",) and files(tmp_path) == []
    assert dict(store.tags_of({"a": 1})) == {}


@pytest.mark.parametrize(
    ("template", "says"),
    [
        ("{pipeline}/x.json", "give {key} in it, or all results were one file"),
        ("../{key}", "give a path in the folder"),
        ("/{key}", "give a path in the folder"),
        ("{pipeline}/./{key}", "give a path in the folder"),
        ("{key}/", "give a path in the folder"),
        ("{experiment}/{key}", "{experiment} is not known here: the names are {key}, {pipeline}"),
    ],
)
def test_templates_that_cannot_work_are_refused(template: str, says: str) -> None:
    with pytest.raises(BadSetting) as caught:
        FolderStore("x", template)
    assert str(caught.value).startswith(f"template is {template!r}: {says}")
