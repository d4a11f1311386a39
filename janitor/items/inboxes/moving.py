"""Moving files on, out of a folder: into `done`, or with the reason into `bad`. No file is ever replaced or lost."""

import errno
import os
import stat
from pathlib import Path

from janitor.errors import Rejected
from janitor.items.inboxes.arrivals import ENDING, Arrival
from janitor.settings.paths import shown

DONE, BAD = "done", "bad"
REASON = ".reason.txt"
LONGEST_NAME = 255
"""In bytes, as file systems count."""


def make_folders(folder: Path) -> None:
    """Make the folders into which files move, if they are missing.

    Raises:
        Rejected: the folder is not there, or cannot be written.
    """
    try:
        for name in (DONE, BAD):
            (folder / name).mkdir(exist_ok=True)
    except OSError as exc:
        raise _unwritable(folder, exc) from exc


def move(folder: Path, arrival: Arrival, to: str) -> None:
    """Move a file into `done` or `bad`; a name that is there gets a number.

    If another file has come in its place since it was read, or it was written to, that file stays in the folder. If it
    is gone, nothing happens.

    Raises:
        Rejected: it cannot be moved.
    """
    _move(folder, arrival, _free(folder / to, arrival.name))


def set_aside(folder: Path, arrival: Arrival, reason: str) -> None:
    """Move a file into `bad`, as `move` does, with the reason in a text file beside it.

    Raises:
        Rejected: it cannot be moved, or the disk is full.
    """
    target = _free(folder / BAD, arrival.name)
    beside = target.with_name(target.name + REASON)
    temporary = beside.with_name(f".reason.{os.getpid()}.tmp")
    try:
        temporary.write_text(f"{reason}\n", encoding="utf-8", errors="replace")
        temporary.replace(beside)
    except OSError as exc:
        raise _unwritable(folder / BAD, exc) from exc
    if not _move(folder, arrival, target):
        beside.unlink(missing_ok=True)


def _move(folder: Path, arrival: Arrival, target: Path) -> bool:
    """Move a file; whether it was the file that was read."""
    source = folder / arrival.name
    try:
        source.rename(target)
        if Arrival.of(arrival.name, os.lstat(target)) == arrival:
            return True
        target.rename(source if not os.path.lexists(source) else _free(folder, arrival.name))
    except FileNotFoundError:
        if not target.parent.is_dir():
            raise Rejected(f"the folder {str(target.parent)!r} is gone: make it again") from None
    except OSError as exc:
        if exc.errno == errno.EXDEV:
            raise Rejected(f"{str(target.parent)!r} must be on the disk of {str(folder)!r}, and no link") from exc
        raise _unwritable(folder, exc) from exc
    return False


def _free(folder: Path, name: str) -> Path:
    """A path in a folder where nothing is, by the name itself or with a number."""
    stem, number = name.removesuffix(ENDING), 0
    while True:
        ending = f".{number}{ENDING}" if number else ENDING
        path = folder / f"{_cut(stem, len(ending) + len(REASON))}{ending}"
        if not os.path.lexists(path):
            return path
        number += 1


def _cut(stem: str, room: int) -> str:
    while len(os.fsencode(stem)) + room > LONGEST_NAME:
        stem = stem[:-1]
    return stem


def check_folder(folder: Path) -> str:
    """Make sure that a folder can be read and written; what was found, in words. A probe is written and removed.

    Raises:
        Rejected: it is not there, or cannot be read or written.
    """
    probe = folder / f".probe.{os.getpid()}.tmp"
    try:
        waiting = sum(stat.S_ISREG(entry.lstat().st_mode) for entry in folder.glob(f"[!.]*{ENDING}"))
        probe.write_bytes(b"probe")
        probe.unlink()
    except OSError as exc:
        raise _unwritable(folder, exc) from exc
    return f"the folder {shown(folder)} can be read and written; {waiting:,} files wait"


def _unwritable(folder: Path, exc: OSError) -> Rejected:
    if exc.errno in (errno.ENOENT, errno.ENOTDIR):
        return Rejected(f"the folder {str(folder)!r} is not there: make it, or correct the path")
    fix = "let Janitor's user write there" if exc.errno != errno.ENOSPC else "make room there"
    return Rejected(f"the folder {str(folder)!r} cannot be read and written ({exc.strerror or exc}): {fix}")
