"""One item of the list `jobs:`, as it was written."""

from dataclasses import dataclass
from typing import Any

from janitor.jobs_file.mistakes import Mistake, Place


@dataclass(frozen=True)
class Entry:
    """The keys and values of one item. `places` has the line of each key.

    `results` are the jobs that `!result` names in it, with their lines. `number` counts the items from 1.
    """

    number: int
    place: Place
    values: dict[str, Any]
    places: dict[str, Place]
    results: list[tuple[str, Place]]

    @property
    def name(self) -> str:
        """The name of the entry in messages: its id, or its number if it has no id."""
        job_id = self.values.get("id")
        return f"job {job_id[:64]}" if isinstance(job_id, str) and job_id else f"job number {self.number}"

    def mistake(self, key: str, text: str, place: Place | None = None) -> Mistake:
        """Describe what is wrong with a key; the place is the key's own if it is None."""
        return Mistake(place or self.places.get(key, self.place), f"{self.name}: {key}", text)
