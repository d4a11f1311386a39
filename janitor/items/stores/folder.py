"""A folder of results: each is a file that is written beside its place and renamed, so it is there whole or not at all.

template {pipeline}/{key}.json     key a/b       analyses/a%2Fb.json
                                   key ../x      analyses/%2E.%2Fx.json       no key leads out of the folder
                                   a long key    its beginning, "+", and its digest
"""

import errno
import hashlib
import os
import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from janitor.errors import BadSetting, JanitorError, Rejected, Unavailable
from janitor.items.stores.contents import most_packed, packed, tags_from, unpacked
from janitor.items.templates import check_names, filled, names_in
from janitor.needs import Need, ServiceNeed
from janitor.settings.settings import Settings

NAMES = frozenset({"pipeline", "key"})
LONGEST_PART = 180
"""A key has up to so many characters in a file's name; a file system takes 255 in all."""
KEPT = 100
"""So many characters of a longer key stand before its digest."""
FULL = (errno.ENOSPC, errno.EDQUOT)
REFUSED = (errno.EACCES, errno.EPERM, errno.EROFS)


@dataclass(frozen=True)
class FolderPlace:
    """A result that lies in a folder."""

    path: Path
    is_packed: bool

    @property
    def address(self) -> str:
        """The file's path."""
        return str(self.path)

    def read(self, most: int) -> bytes | None:
        """Its bytes, unpacked; None if it has more than `most`, or is gone.

        Raises:
            Unavailable, Rejected: it cannot be read, or is damaged.
        """
        with _telling(self.path), suppress(FileNotFoundError):
            room = most_packed(most) if self.is_packed else most
            with self.path.open("rb") as file:
                found = file.read(room + 1)
            if len(found) > room:
                return None
            return unpacked(found, most, str(self.path)) if self.is_packed else found
        return None


@dataclass(frozen=True)
class FolderStore:
    """Keeps results in a folder, which must be there: a disk that is not mounted gets nothing.

    - `path`: the folder; relative to the working folder.
    - `template`: a file's path in it; `{pipeline}` and `{key}` are filled in, made fit for a file's name.
    - `gzip`: pack results; `.gz` is added to the file's name.
    - `tags`: not kept: a file has none.
    """

    path: str | Path
    template: str = "{pipeline}/{key}.json"
    gzip: bool = False

    def __post_init__(self) -> None:
        """Refuse what cannot work.

        Raises:
            BadSetting: the template lacks the key, has other names, or leads out of the folder.
        """
        check_names("template", self.template, NAMES)
        parts = self.template.split("/")
        if "key" not in names_in("template", self.template):
            raise BadSetting("template", self.template, "give {key} in it, or all results were one file")
        if any(part in ("", ".", "..") for part in parts):
            raise BadSetting("template", self.template, "give a path in the folder, such as {pipeline}/{key}.json")

    @property
    def requires(self) -> Sequence[Need]:
        """The folder."""
        return (ServiceNeed(f"the folder {self.path} for results", self.look),)

    def look(self, settings: Settings) -> Sequence[str]:
        """Write a file there and remove it.

        Raises:
            Unavailable, Rejected: the folder is not there, or cannot be written.
        """
        folder = self._folder()
        probe = folder / f".{secrets.token_hex(8)}.part"
        with _telling(folder):
            _write(probe, b"a check of Janitor's")
            probe.unlink()
        return (f"{folder} can be written",)

    def tags_of(self, args: Mapping[str, Any]) -> Mapping[str, str]:
        """No tags: a file has none."""
        return tags_from((), args)

    def find(self, settings: Settings, pipeline: str, key: str) -> FolderPlace | None:
        """The result of a key, if a file is there that is not empty.

        Raises:
            Unavailable, Rejected: the folder is not there, or cannot be read.
        """
        path = self._path(pipeline, key)
        with _telling(path), suppress(FileNotFoundError, NotADirectoryError):
            if path.stat().st_size > 0:
                return FolderPlace(path, self.gzip)
        return None

    def put(self, settings: Settings, pipeline: str, key: str, content: bytes, tags: Mapping[str, str]) -> FolderPlace:
        """Keep a result: it is there as a whole and on disk, or not at all. Doing it twice is harmless.

        Raises:
            Unavailable, Rejected: it cannot be kept.
        """
        path = self._path(pipeline, key)
        beside = path.parent / f".{secrets.token_hex(8)}.part"
        with _telling(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            try:
                _write(beside, packed(content) if self.gzip else content)
                beside.replace(path)
            except OSError:
                beside.unlink(missing_ok=True)
                raise
            _sync_folder(path.parent)
        return FolderPlace(path, self.gzip)

    def _folder(self) -> Path:
        folder = Path(self.path).absolute()
        if not folder.is_dir():
            raise Rejected(f"the folder {folder} for results is not there: make it, or mount its disk")
        return folder

    def _path(self, pipeline: str, key: str) -> Path:
        names = {"pipeline": pipeline, "key": key}
        inner = filled(self.template, names.get, as_file_name)
        return self._folder() / (f"{inner}.gz" if self.gzip else inner)


def as_file_name(text: str) -> str:
    """A text as a part of a file's name; different texts have different names, and none leads to another folder."""
    found = quote(text.encode("utf-8", "surrogatepass"), safe=" ")
    if found.startswith("."):
        found = f"%2E{found[1:]}"
    if len(found) <= LONGEST_PART:
        return found
    # "+" is in no quoted text, so no other key has this name.
    return f"{found[:KEPT]}+{hashlib.sha256(text.encode('utf-8', 'surrogatepass')).hexdigest()}"


def _write(path: Path, content: bytes) -> None:
    with path.open("xb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    """Let the name be on disk too."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _telling(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as exc:
        raise _translated(exc, path) from exc


def _translated(error: OSError, path: Path) -> JanitorError:
    said = error.strerror or str(error)
    if error.errno in FULL:
        return Rejected(f"the disk is full under {path}: free some space there ({said})")
    if error.errno in REFUSED:
        return Rejected(f"{path} cannot be used: let Janitor's user read and write there ({said})")
    if isinstance(error, IsADirectoryError):
        return Rejected(f"{path} is in the way: a file is wanted there ({said})")
    if isinstance(error, (FileExistsError, NotADirectoryError)):
        return Rejected(f"{path.parent} is in the way: a folder is wanted there ({said})")
    return Unavailable(f"{path} cannot be used now: {said}")
