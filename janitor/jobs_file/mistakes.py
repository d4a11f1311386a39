"""What is wrong with a jobs file: every mistake at once, each with its line and key."""

from collections.abc import Sequence
from dataclasses import dataclass

from janitor.errors import BadSetting


@dataclass(frozen=True)
class Place:
    """A line, counted from 1, of a file."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


@dataclass(frozen=True)
class Mistake:
    """One thing that is wrong; `where` names the job and key, and is empty where it is the file itself."""

    place: Place
    where: str
    text: str

    def __str__(self) -> str:
        return f"{self.place}: {self.where}{': ' if self.where else ''}{self.text}"


class BadJobsFile(BadSetting):
    """Raised when a jobs file has mistakes: `mistakes` are all of them, in the order of their lines."""

    def __init__(self, path: str, mistakes: Sequence[Mistake]) -> None:
        self.mistakes = sorted(mistakes, key=lambda one: (one.place.file, one.place.line))
        count = f"{len(mistakes)} mistake{'s' if len(mistakes) != 1 else ''}"
        super().__init__("JOBS_FILE", path, f"it has {count}, the first: {self.mistakes[0]}")
