"""Mistakes in a jobs file: all of them at once, each with its line and key."""

from collections.abc import Sequence
from dataclasses import dataclass
from reprlib import Repr

from janitor.errors import BadSetting


@dataclass(frozen=True)
class Place:
    """A line of a file, counted from 1."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


MOST_CHARACTERS = 1_000
MOST_MISTAKES = 1_000
"""How many mistakes are told."""


@dataclass(frozen=True)
class Mistake:
    """One mistake. `where` names the job and the key; it is empty if the mistake concerns the whole file.

    Long texts are cut.
    """

    place: Place
    where: str
    text: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "where", self.where[:MOST_CHARACTERS])
        object.__setattr__(self, "text", self.text[:MOST_CHARACTERS])

    def __str__(self) -> str:
        return f"{self.place}: {self.where}{': ' if self.where else ''}{self.text}"


_SHORT = Repr()
_SHORT.maxlevel, _SHORT.maxstring, _SHORT.maxlong, _SHORT.maxother = 3, 100, 100, 100
_SHORT.maxdict = _SHORT.maxlist = _SHORT.maxtuple = _SHORT.maxset = 10


def shown(value: object) -> str:
    """A value as it stands in a mistake: as Python writes it, and cut if it is long or deep."""
    return _SHORT.repr(value)


class Wrong(ValueError):
    """Raised when a key does not take its value; the text says what would be right."""


class BadJobsFile(BadSetting):
    """Raised when a jobs file has mistakes. `mistakes` are the first 1,000, in the order of their lines."""

    mistakes: Sequence[Mistake]

    def __init__(self, path: str, mistakes: Sequence[Mistake]) -> None:
        self.mistakes = sorted(mistakes, key=lambda mistake: (mistake.place.file, mistake.place.line))[:MOST_MISTAKES]
        count = f"{len(mistakes)} mistake{'s' if len(mistakes) != 1 else ''}"
        super().__init__("JOBS_FILE", path, f"it has {count}, the first: {self.mistakes[0]}")
