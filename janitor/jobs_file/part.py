"""One mapping within a pipeline of a jobs file, as it was written."""

from dataclasses import dataclass
from typing import Any

from janitor.jobs_file.mistakes import Mistake, Place


@dataclass(frozen=True)
class Part:
    """The keys and values of one mapping: of a pipeline itself, or of what lies in it at `path`.

    `places` has the line of each key. `parts` are those of its values that are mappings themselves: their keys are
    texts, however they were written.
    """

    pipeline: str
    path: tuple[str, ...]
    place: Place
    values: dict[str, Any]
    places: dict[str, Place]
    parts: dict[str, "Part"]

    @property
    def name(self) -> str:
        """The name of its pipeline in messages."""
        return f"pipeline {self.pipeline[:64]}"

    def mistake(self, key: str, text: str, place: Place | None = None) -> Mistake:
        """Describe what is wrong with a key, or with the whole part if the key is empty.

        The place is the key's own if it is None.
        """
        path = ".".join((*self.path, key) if key else self.path)
        return Mistake(place or self.places.get(key, self.place), f"{self.name}: {path}" if path else self.name, text)
