"""Memos: what a daemon knew last of its state database, in small files that no backup brings back.

    state database      id 5f3a, generation 1, beat 4,711       the leader writes it first
    memo                id 5f3a, generation 1, beat 4,711       then its memo, every few seconds
    ... a backup of the night is restored ...
    state database      id 5f3a, generation 1, beat 3,002       at its next start the daemon sees that it went back

A memo lies beside the heartbeat file, and beside a state database that is a file. It is found as long as one of the two
folders stays. A state database on a server has nowhere else to keep it: a daemon on a new machine has no memo. Then a
person tells of the restore with the verb `restored`.

Each state database has a file of its own there, and so has each copy of it at another place:

    heartbeat-memo-1c0f2b7a    id 5f3a, at db:3306/janitor      the daemon at work
    heartbeat-memo-e93d5501    id 5f3a, at db:3306/trial        a copy, with a daemon of its own: it is no restore
    heartbeat-memo-77ab40c3    id 90d1, at db:3306/janitor      what was at this place before
"""

import glob
import hashlib
import json
import logging
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path

from sqlalchemy import URL

from janitor.databases.places import family, place
from janitor.settings.settings import Settings
from janitor.state.identity import Identity

log = logging.getLogger(__name__)

SUFFIX = "-memo"
UNREADABLE = (OSError, ValueError, TypeError, LookupError)


@dataclass(frozen=True)
class Memo:
    """What was known at `at`: a state database's id, generation and beat, its newest run, and its place."""

    id: str
    generation: int
    beat: int
    at: datetime
    newest_run: int
    place: str = ""

    @classmethod
    def of(cls, known: Identity, newest_run: int) -> "Memo":
        """What is known of a state database."""
        return cls(known.id, known.generation, known.beat, known.beat_at, newest_run)

    @property
    def age(self) -> tuple[int, int]:
        """What only grows, as that of `Identity`."""
        return self.generation, self.beat

    def is_ahead_of(self, found: Identity) -> bool:
        """Whether the same state database was known with a higher age: it went back since."""
        return self.id == found.id and self.age > found.age


class Memos:
    """The memos of a daemon whose state database is at `place`; each stands in a file beside each of some paths."""

    def __init__(self, beside: Iterable[Path], place: str = "") -> None:
        """Nothing is read or written yet."""
        self.beside, self.place = tuple(beside), place
        self._fails = False

    def newest(self, known: str = "") -> Memo | None:
        """The newest memo of the state database with the id `known`; None if there is no memo at all.

        A memo of this place comes before those of copies at other places. If there is no memo of that state database,
        it is the newest of any, of this place first.
        """
        found = list(self._all())
        same = [memo for memo in found if memo.id == known]
        if same:
            return max(self._of_this_place(same), key=lambda memo: memo.age)
        return max(self._of_this_place(found), key=lambda memo: memo.at, default=None)

    def write(self, memo: Memo) -> None:
        """Replace the memo of this state database at this place; a memo never goes back.

        A file that cannot be written is told once, and nothing else suffers.
        """
        memo = replace(memo, place=self.place)
        text = json.dumps({**asdict(memo), "at": memo.at.isoformat()})
        for path in self._paths_of(memo):
            before = _read(path)
            if before is not None and before.id == memo.id and (before.age, before.at) > (memo.age, memo.at):
                continue
            try:
                _replace(path, text)
            except OSError as exc:
                level = logging.DEBUG if self._fails else logging.WARNING
                log.log(level, "%s cannot be written, so a restored backup may not be noticed: %s", path, exc.strerror)
                self._fails = True

    def _all(self) -> Iterator[Memo]:
        for path in self.beside:
            for each in sorted(path.parent.glob(f"{glob.escape(path.name)}{SUFFIX}-*")):
                if (memo := _read(each)) is not None:
                    yield memo

    def _of_this_place(self, found: Sequence[Memo]) -> Sequence[Memo]:
        return [memo for memo in found if memo.place == self.place] or found

    def _paths_of(self, memo: Memo) -> Iterator[Path]:
        which = hashlib.blake2b(f"{memo.id} {memo.place}".encode(), digest_size=4).hexdigest()
        return (path.with_name(f"{path.name}{SUFFIX}-{which}") for path in self.beside)


def memos_of(settings: Settings) -> Memos:
    """The memos of a daemon with these settings."""
    url, beside = settings.state_database_url, [settings.heartbeat_file]
    if family(url) == "sqlite" and url.database:
        beside.append(Path(url.database))
    return Memos(beside, _whole_place(url))


def _whole_place(url: URL) -> str:
    """The place of a state database, whatever the folder is in which a command is typed."""
    return os.path.realpath(url.database) if family(url) == "sqlite" and url.database else place(url)


def _read(path: Path) -> Memo | None:
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        memo = Memo(**{**values, "at": datetime.fromisoformat(values["at"])})
        return memo if memo.at.tzinfo is not None and memo.age >= (0, 0) and memo.newest_run >= 0 else None
    except UNREADABLE:  # there is none, or it is another program's
        return None


def _replace(path: Path, text: str) -> None:
    new = path.with_name(f".{path.name}.{os.getpid()}")
    new.write_text(text, encoding="utf-8")
    os.replace(new, path)
