"""Memos: what a daemon knew last of its state database, in small files that no backup brings back.

    state database      id 5f3a, generation 1, beat 4,711       the leader writes it first
    memo                id 5f3a, generation 1, beat 4,711       then its memo, every few seconds
    ... a backup of the night is restored ...
    state database      id 5f3a, generation 1, beat 3,002       at its next start the daemon sees that it went back

A memo lies beside the heartbeat file, and beside a state database that is a file. It is found as long as one of the two
places stays. A state database on a server has nowhere else to keep it: a daemon on a new machine has no memo. Then a
person tells of the restore with the verb `restored`.
"""

import json
import logging
import os
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from janitor.databases.places import family
from janitor.settings.settings import Settings
from janitor.state.identity import Identity

log = logging.getLogger(__name__)

SUFFIX = "-memo"
UNREADABLE = (OSError, ValueError, TypeError, LookupError)


@dataclass(frozen=True)
class Memo:
    """What was known at `at`: the id, the generation and the beat of a state database, and its newest run."""

    id: str
    generation: int
    beat: int
    at: datetime
    newest_run: int

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
    """The files with the memos of this daemon; all hold the same."""

    def __init__(self, paths: Iterable[Path]) -> None:
        """Nothing is read or written yet."""
        self.paths = tuple(paths)
        self._fails = False

    def newest(self, known: str = "") -> Memo | None:
        """The newest memo of the state database with the id `known`; else the newest of any; None if there is none."""
        found = [memo for path in self.paths if (memo := _read(path)) is not None]
        same = [memo for memo in found if memo.id == known]
        return max(same, key=lambda memo: memo.age) if same else max(found, key=lambda memo: memo.at, default=None)

    def write(self, memo: Memo) -> None:
        """Replace all memos; a file that cannot be written is told once, and nothing else suffers."""
        text = json.dumps({**asdict(memo), "at": memo.at.isoformat()})
        for path in self.paths:
            try:
                _replace(path, text)
            except OSError as exc:
                level = logging.DEBUG if self._fails else logging.WARNING
                log.log(level, "%s cannot be written, so a restored backup may not be noticed: %s", path, exc.strerror)
                self._fails = True


def memos_of(settings: Settings) -> Memos:
    """The memos of a daemon with these settings."""
    return Memos(_paths(settings))


def _paths(settings: Settings) -> Sequence[Path]:
    url, beside = settings.state_database_url, [settings.heartbeat_file]
    if family(url) == "sqlite" and url.database:
        beside.append(Path(url.database))
    return [path.with_name(f"{path.name}{SUFFIX}") for path in beside]


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
