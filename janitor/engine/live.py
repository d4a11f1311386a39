"""A run that goes on in this process, and how far it says it is."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from janitor.jobs.job import Job
from janitor.runs import Fence, Run


class Progress:
    """The newest report of each part of a run; from any thread of its task."""

    def __init__(self, mask: Callable[[str], str] = str) -> None:
        """Nothing is reported yet. `mask` takes secrets out of what is reported."""
        self._mask = mask
        self.parts: dict[str, Any] = {}
        self.unsaved = False

    def report(self, path: tuple[str, ...], done: float, total: float | None, note: str) -> None:
        """Keep one report; `path` names the part."""
        # A slash inside a name becomes another character, since slashes part the names.
        key = "/".join(self._mask(name).replace("/", "\u2215") for name in path)
        self.parts[key] = {"done": done, "total": total, **({"note": self._mask(note)} if note else {})}
        self.unsaved = True

    def text(self) -> str:
        """All reports as JSON."""
        # Of a copy: other threads of the task may report meanwhile.
        return json.dumps(dict(self.parts), default=str)


@dataclass(eq=False)
class Live:
    """A run that goes on here; `fence` is its job's lease, `warned` says that its lateness is logged."""

    run: Run
    job: Job
    fence: Fence
    progress: Progress
    warned: bool = False


LiveRuns = dict[int, Live]
"""The runs that go on in this process, by id; threads add and remove runs, so go through a copy."""
