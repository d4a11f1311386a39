"""The files that a jobs file is made of: their folders, their texts, and what is no text."""

import os
import socket
from pathlib import Path

import pytest

from janitor.jobs_file.sources import MOST_BYTES, NotReadable, folders_of, text_of


def test_a_link_has_its_own_folder_and_that_of_its_target(tmp_path: Path) -> None:
    for name in ("link", "target"):
        (tmp_path / name).mkdir()
    (tmp_path / "target" / "lab.yaml").touch()
    link = tmp_path / "link" / "jobs.yaml"
    link.symlink_to(tmp_path / "target" / "lab.yaml")
    assert folders_of(link) == (tmp_path / "link", tmp_path / "target")
    assert folders_of(tmp_path / "target" / "lab.yaml") == (tmp_path / "target",)


@pytest.mark.parametrize("content", [b"a\r\nb\rc\n", b"\xef\xbb\xbfa\nb\nc\n"])
def test_lines_end_alike_and_a_mark_of_the_encoding_goes(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "jobs.yaml").write_bytes(content)
    assert text_of(tmp_path / "jobs.yaml") == "a\nb\nc\n"


def test_what_is_no_file_is_told_and_nobody_waits(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "socket"))
        for path, said in (
            (tmp_path / "pipe", "it is a pipe; give the path of a file"),
            (Path("/dev/zero"), "it is a device; give the path of a file"),
            (tmp_path, "it cannot be read (Is a directory); give another path"),
            (tmp_path / "socket", "it cannot be read (No such device or address); give another path"),
            (tmp_path / "none", "it cannot be read (No such file or directory); give another path"),
            (tmp_path / "a\0b", "it cannot be read (ValueError); give another path"),
        ):
            with pytest.raises(NotReadable) as caught:
                text_of(path)
            assert str(caught.value) == said


def test_a_file_of_any_size_takes_no_more_memory_than_a_jobs_file(tmp_path: Path) -> None:
    with (tmp_path / "large").open("wb") as file:
        file.truncate(100_000_000_000)
    with pytest.raises(NotReadable, match=f"more than {MOST_BYTES:,} bytes"):
        text_of(tmp_path / "large")


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32", "latin-1"])
def test_another_encoding_is_told(tmp_path: Path, encoding: str) -> None:
    (tmp_path / "jobs.yaml").write_bytes("jobs: é\n".encode(encoding))
    with pytest.raises(NotReadable, match=r"it is not UTF-8 \(byte \d+\); save it as UTF-8"):
        text_of(tmp_path / "jobs.yaml")
