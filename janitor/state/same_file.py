"""The same file: the path of a state database leads to the file that was opened, or nothing is read and written.

    path ──> the file that was opened     all is well
    path ──> nothing                      it was deleted or moved, or its volume is not mounted
    path ──> another file                 it was replaced

SQLite would go on: it writes into the deleted file, and nobody ever reads that again. So each transaction looks where
the path leads, when it begins and before it commits. Once the same file is back, all goes on.

A SQLite database in use has a journal beside it, by its name. SQLite plays a journal into whatever file has the name:

    the file that was opened is replaced    its journal is put aside, and put back with its file
    a daemon was killed, and a backup is    its journal is put aside before the backup is opened: the first page of a
    put in the place of its file            backup tells that it has no journal; an empty file has none either
    the journal is deleted under a daemon   nothing more is written: other processes would make another journal, and two
                                            journals spoil the file. As the daemon ends, SQLite saves what is in its own
"""

import logging
import os
from contextlib import suppress
from pathlib import Path

from janitor.databases.sqlite_sessions import Inode, inode_of
from janitor.errors import Unavailable
from janitor.settings.paths import shown

log = logging.getLogger(__name__)

JOURNALS = ("-wal", "-shm")
ASIDE = ".replaced"
MAGIC = b"SQLite format 3\0"
WITHOUT_WAL = b"\x01\x01"
"""What the first page of a SQLite file holds at byte 18 if the file has no journal with the ending -wal."""


class SameFile:
    """The file of a state database, from its first connection on."""

    def __init__(self, path: Path, known: Inode | None = None) -> None:
        """Nothing is opened here yet; `known` is the file that this process's parent has opened."""
        self.path, self.known, self._real = path, known, str(path)
        self._journal: Inode | None = None
        self._is_aside = False

    @property
    def exists(self) -> bool:
        """Whether the path leads to a file."""
        return self.path.exists()

    def opened(self, real_path: str, inode: Inode | None) -> None:
        """Note that a connection was opened to a file; the first connection tells which file is the right one.

        Raises:
            Unavailable: it is another file than before.
        """
        if inode is None:
            return
        if self.known not in (None, inode):
            raise self._replaced()
        self.known, self._real = inode, real_path
        self._journal = inode_of(f"{self._real}-wal") or self._journal

    def check(self) -> None:
        """Make sure that the path still leads to the file that was opened.

        Raises:
            Unavailable: it does not, or its journal was deleted; the text tells what happened.
        """
        if self.known is None:
            self.put_stale_journals_aside()
            return
        found = inode_of(self.path)
        if found == self.known:
            self._put_journals_back()
            self._check_journal()
        elif found is None:
            raise Unavailable(
                f"the file {shown(self.path)} of the state database is gone: it was deleted or moved, or its volume is "
                "not mounted; nothing is written until the same file is back"
            )
        else:
            self._put_journals_aside()
            raise self._replaced()

    def _check_journal(self) -> None:
        found = inode_of(f"{self._real}-wal")
        if found == self._journal:
            return
        if self._journal is not None and _is_open_but_deleted(f"{self._real}-wal"):
            raise Unavailable(
                f"the journal of the state database, {shown(self._real)}-wal, was deleted while this process had it "
                "open; nothing is written any more; stop this process without `kill -9`, so that it saves what is in "
                "the journal, and start it anew"
            )
        self._journal = found or self._journal

    def put_stale_journals_aside(self) -> None:
        """Before the file is opened: put a journal aside that lies beside it, if it is another file's.

        SQLite notes in a file's first page that it has such a journal, before it makes one.
        """
        real = os.path.realpath(self.path)
        if self.known is not None or not _size(f"{real}-wal") or _may_have_journal(real):
            return
        put_journals_aside(real)

    def _replaced(self) -> Unavailable:
        return Unavailable(
            f"another file came in the place of the state database {shown(self.path)}; nothing is written until the "
            "same file is back; to go on with the other file, stop this process and start it anew"
        )

    def _put_journals_aside(self) -> None:
        if self._is_aside or self._journal is None or inode_of(f"{self._real}-wal") != self._journal:
            return
        self._is_aside = True
        log.warning("the journal of the state database that was replaced is put aside: %s-wal%s", self._real, ASIDE)
        _rename(self._real, "", ASIDE)

    def _put_journals_back(self) -> None:
        if self._is_aside:
            self._is_aside = False
            _rename(self._real, ASIDE, "")


def _size(path: str) -> int:
    try:
        return os.stat(path).st_size
    except OSError:
        return 0


def _is_open_but_deleted(path: str) -> bool:
    """Whether this process has a file open that was at a path; False if the system does not tell."""
    with suppress(OSError):
        for each in os.listdir("/proc/self/fd"):
            with suppress(OSError):
                if os.readlink(f"/proc/self/fd/{each}") == f"{path} (deleted)":
                    return True
    return False


def _may_have_journal(path: str) -> bool:
    """Whether a file can have a journal with the ending -wal; True too if nobody can tell."""
    try:
        with open(path, "rb") as file:
            first = file.read(20)
    except OSError:
        return True
    return bool(first) and not (first.startswith(MAGIC) and first[18:] == WITHOUT_WAL)


def put_journals_aside(path: Path | str) -> None:
    """Let a file that comes to a path have no journal of the file that was there."""
    if _size(f"{path}-wal"):
        log.warning("a journal of another file lies beside the state database, and is put aside: %s-wal%s", path, ASIDE)
    _rename(str(path), "", ASIDE)


def _rename(path: str, before: str, after: str) -> None:
    for journal in JOURNALS:
        with suppress(OSError):
            os.replace(f"{path}{journal}{before}", f"{path}{journal}{after}")
