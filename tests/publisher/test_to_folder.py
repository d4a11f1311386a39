"""Messages as files: whole or not there, one for each group, and a sentence if they cannot be written."""

import io
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import fastavro
import pytest

from janitor.errors import Cancelled, Rejected
from janitor.publisher.to_folder import check_folder
from janitor.runs import Run, running
from janitor.settings import Settings
from tests.messages import SCHEMA, publisher_to, statuses


def settings_in(folder: Path) -> Settings:
    return Settings.load({"MESSAGES_DIR": str(folder)}, None)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A folder on a disk of 64 kB."""
    folder = tmp_path / "small"
    folder.mkdir()
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "none", str(folder)], capture_output=True)
    if made.returncode:
        pytest.skip("this test needs the right to mount a small disk")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_each_group_is_one_container_file(tmp_path: Path) -> None:
    folder = tmp_path / "made" / "here"
    with running(Run(id=731)), publisher_to(settings_in(folder), "x") as publisher:
        publisher.publish(statuses(100))
        publisher.publish(statuses(7, id_run=2))
        publisher.publish([])
    found = sorted(folder.iterdir(), key=lambda path: path.stat().st_mtime_ns)
    read = [SCHEMA.read_container(io.BytesIO(path.read_bytes())) for path in found]
    assert [rows for _, rows in read] == [statuses(100), statuses(7, id_run=2)]
    metadata = read[0][0]
    assert found[0].name == f"sample_sequence_status-{metadata['message_id']}.avro"
    assert (metadata["correlation_id"], metadata["app_id"]) == ("731", "janitor")
    assert (metadata["subject"], metadata["version"]) == ("sample-sequence-status", "1")


def test_any_reader_of_avro_reads_the_files(tmp_path: Path) -> None:
    with publisher_to(settings_in(tmp_path), "x") as publisher:
        publisher.publish(statuses(3))
    with next(tmp_path.glob("*.avro")).open("rb") as file:
        assert list(fastavro.reader(file)) == statuses(3)


def test_repeated_group_leaves_its_one_file_alone(tmp_path: Path) -> None:
    with publisher_to(settings_in(tmp_path), "x") as publisher:
        publisher.publish(statuses(3))
        (before,) = tmp_path.iterdir()
        content, changed = before.read_bytes(), before.stat().st_mtime_ns
        publisher.publish(statuses(3))
    (after,) = tmp_path.iterdir()
    assert (after.name, after.read_bytes(), after.stat().st_mtime_ns) == (before.name, content, changed)


def test_full_disk_is_rejected_and_leaves_no_file(small_disk: Path) -> None:
    with publisher_to(settings_in(small_disk), "x") as publisher:
        publisher.publish(statuses(3))
        before = list(small_disk.iterdir())
        with pytest.raises(
            Rejected, match=r"^cannot write a message file in '.*small' \(No space left on device\): make"
        ):
            publisher.publish(statuses(3000))
        assert list(small_disk.iterdir()) == before
        publisher.publish(statuses(3, id_run=2))


def test_a_message_file_is_on_the_disk_before_it_has_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Given: a reader that takes each file that is there. What happens: the plug is pulled at any moment.
    # What must hold: the file was synced before it got its name, and then its folder, so the name.
    synced, sync = list[tuple[int, int]](), os.fsync

    def note(descriptor: int) -> None:
        synced.append((os.fstat(descriptor).st_ino, len(list(tmp_path.glob("*.avro")))))
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", note)
    with publisher_to(settings_in(tmp_path), "x") as publisher:
        publisher.publish(statuses(3))
    (path,) = tmp_path.iterdir()
    assert synced == [(path.stat().st_ino, 0), (tmp_path.stat().st_ino, 1)]


DIES_IN_MID_WRITE = """
import pathlib, resource, signal, sys
from tests.messages import publisher_to, statuses
from tests.publisher.test_to_folder import settings_in

signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
with publisher_to(settings_in(pathlib.Path(sys.argv[1])), "x") as publisher:
    publisher.publish(statuses(3000))
"""


def test_process_that_dies_in_mid_write_leaves_no_message(tmp_path: Path) -> None:
    died = subprocess.run(
        [sys.executable, "-c", DIES_IN_MID_WRITE, str(tmp_path)], env=os.environ | {"PYTHONPATH": "."}
    )
    assert died.returncode == -signal.SIGXFSZ
    assert list(tmp_path.glob("*.avro")) == []
    with publisher_to(settings_in(tmp_path), "x") as publisher:
        publisher.publish(statuses(3000))
    (path,) = tmp_path.glob("*.avro")
    with path.open("rb") as file:
        assert SCHEMA.read_container(file)[1] == statuses(3000)


def test_folder_that_cannot_be_made_is_rejected(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    for folder in (tmp_path / "file", tmp_path / "file" / "below"):
        with publisher_to(settings_in(folder), "x") as publisher:
            with pytest.raises(Rejected, match=r"^cannot write a message file in '.*file.*' \("):
                publisher.publish(statuses(1))
        with pytest.raises(Rejected, match="set MESSAGES_DIR to another folder$"):
            check_folder(folder)


@contextmanager
def as_nobody() -> Iterator[None]:
    """Be a user without rights during the block, if root runs the tests: root may write anywhere."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65_534)
    try:
        yield
    finally:
        os.seteuid(0)


def test_folder_of_others_is_rejected(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with publisher_to(settings_in(tmp_path), "x") as publisher, as_nobody():
        with pytest.raises(Rejected, match="Permission denied"):
            publisher.publish(statuses(1))
    assert list(tmp_path.iterdir()) == []


def test_check_makes_the_folder_and_leaves_nothing_in_it(tmp_path: Path) -> None:
    assert check_folder(tmp_path / "new") == "exists, can be written"
    assert list((tmp_path / "new").iterdir()) == []


def test_stopped_run_writes_no_further_file(tmp_path: Path) -> None:
    run = Run()
    run.ask_to_stop(Cancelled("by hand"))
    with running(run), publisher_to(settings_in(tmp_path), "x") as publisher, pytest.raises(Cancelled):
        publisher.publish(statuses(1))
    assert list(tmp_path.iterdir()) == []


def test_groups_of_equal_content_are_told_apart(tmp_path: Path) -> None:
    with publisher_to(settings_in(tmp_path), "x") as publisher:
        for identity in (b"one sample", b"another", b"one sample"):
            publisher.publish(statuses(1), identity)
    read = [SCHEMA.read_container(io.BytesIO(path.read_bytes())) for path in tmp_path.iterdir()]
    assert [rows for _, rows in read] == [statuses(1), statuses(1)]
    assert len({metadata["message_id"] for metadata, _ in read}) == 1
