"""The files that have arrived in a folder: complete, which is to say unchanged for a second, the oldest first."""

import errno
import heapq
import os
import stat
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from janitor.errors import Rejected

ENDING = ".json"
SETTLE_SECONDS = 1.0
"""A file that was changed within this may still be written."""
MOST_LISTED = 10_000
"""So many files are listed at a time, whatever the folder holds."""


@dataclass(frozen=True)
class Arrival:
    """A file as it was listed: its name, and what changes if it is written to, or another comes in its place."""

    name: str
    device: int
    inode: int
    size: int
    mtime_ns: int

    @classmethod
    def of(cls, name: str, found: os.stat_result) -> "Arrival":
        """The file of a name."""
        return cls(name, found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns)

    @property
    def stem(self) -> str:
        """Its name without the ending, as a text that any database takes."""
        return self.shown.removesuffix(ENDING)

    @property
    def shown(self) -> str:
        """Its name, as a text that any database takes."""
        return os.fsencode(self.name).decode("utf-8", "replace")


class CannotRead(Exception):
    """Raised when a file may not be read; its text says why."""


class Arrivals:
    """Looks at a folder again and again."""

    def __init__(self, folder: Path) -> None:
        """Nothing is looked at yet."""
        self._folder = folder
        self._unsettled: dict[str, tuple[Arrival, float]] = {}

    @property
    def has_unsettled(self) -> bool:
        """Whether the last look found files that may still be written."""
        return bool(self._unsettled)

    def look(self) -> list[Arrival]:
        """The files that are complete by now.

        Raises:
            Rejected: the folder cannot be read.
        """
        now, clock, before, self._unsettled = time.monotonic(), time.time(), self._unsettled, {}
        complete: list[Arrival] = []
        try:
            for found in heapq.nsmallest(MOST_LISTED, self._listed(), key=lambda one: (one.mtime_ns, one.name)):
                known, since = before.get(found.name, (found, now))
                since = since if known == found else now
                # The clock that set the file's time may be another machine's: what was seen unchanged counts too.
                is_old = 0 <= clock - found.mtime_ns / 1e9 - SETTLE_SECONDS
                if is_old or now - since >= SETTLE_SECONDS:
                    complete.append(found)
                else:
                    self._unsettled[found.name] = found, since
        except OSError as exc:
            where = f"the folder {str(self._folder)!r} cannot be read ({exc.strerror})"
            raise Rejected(f"{where}: make it, or let Janitor's user read it") from exc
        return complete

    def _listed(self) -> Iterator[Arrival]:
        with os.scandir(self._folder) as entries:
            for entry in entries:
                if entry.name.endswith(ENDING) and not entry.name.startswith("."):
                    found = _stat(entry)
                    if found is not None and stat.S_ISREG(found.st_mode):
                        yield Arrival.of(entry.name, found)

    def read(self, arrival: Arrival, most: int) -> bytes | None:
        """The first bytes of a file, `most` at most; None if it is not the file that was listed any more.

        Raises:
            CannotRead: it may not be read.
            Rejected: the disk fails.
        """
        try:
            descriptor = os.open(
                self._folder / arrival.name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
            )
            with os.fdopen(descriptor, "rb") as file:
                content = file.read(most)
                is_same = Arrival.of(arrival.name, os.fstat(file.fileno())) == arrival
        except OSError as exc:
            if exc.errno in (errno.ENOENT, errno.ELOOP, errno.EISDIR):
                return None
            if exc.errno in (errno.EACCES, errno.EPERM):
                raise CannotRead(f"it cannot be read ({exc.strerror})") from exc
            raise Rejected(f"{str(self._folder / arrival.name)!r} cannot be read ({exc.strerror})") from exc
        return content if is_same else None


def _stat(entry: "os.DirEntry[str]") -> os.stat_result | None:
    try:
        return entry.stat(follow_symlinks=False)
    except FileNotFoundError:  # it was taken away since it was listed
        return None
