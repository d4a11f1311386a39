"""Mistakes in a jobs file: all of them at once, each with its line and key."""

from collections.abc import Sequence
from dataclasses import dataclass

from janitor.errors import BadSetting


@dataclass(frozen=True)
class Place:
    """A line of a file, counted from 1."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


@dataclass(frozen=True)
class Mistake:
    """One mistake. `where` names the job and the key; it is empty if the mistake concerns the whole file."""

    place: Place
    where: str
    text: str

    def __str__(self) -> str:
        return f"{self.place}: {self.where}{': ' if self.where else ''}{self.text}"


class Wrong(ValueError):
    """Raised when a key does not take its value; the text says what would be right."""


class BadJobsFile(BadSetting):
    """Raised when a jobs file has mistakes. `mistakes` are all of them, in the order of their lines."""

    mistakes: Sequence[Mistake]

    def __init__(self, path: str, mistakes: Sequence[Mistake]) -> None:
        self.mistakes = sorted(mistakes, key=lambda mistake: (mistake.place.file, mistake.place.line))
        count = f"{len(mistakes)} mistake{'s' if len(mistakes) != 1 else ''}"
        super().__init__("JOBS_FILE", path, f"it has {count}, the first: {self.mistakes[0]}")
