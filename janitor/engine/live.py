"""A run that goes on in this process, and how far it says it is."""

import json
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from janitor.errors import text_of
from janitor.jobs.counts import Unfit, count_of
from janitor.jobs.job import Job
from janitor.runs import Fence, Run
from janitor.runs.bounds import shortened

log = logging.getLogger(__name__)


MOST_PARTS = 500
"""So many parts of a run may report progress."""
LONGEST_PATH, LONGEST_NOTE = 200, 300
"""In bytes."""


class Progress:
    """The newest report of each part of a run, within bounds; from any thread of its task."""

    def __init__(self, mask: Callable[[str], str] = str) -> None:
        """Nothing is reported yet. `mask` takes secrets out of what is reported."""
        self._mask = mask
        self.parts: dict[str, Any] = {}
        self.unsaved = False
        self._cut = False

    def report(self, path: tuple[str, ...], done: float, total: float | None, note: str) -> None:
        """Keep one report; `path` names the part. What is no finite number counts as unknown."""
        # A slash inside a name becomes another character, since slashes part the names.
        key = "/".join(self._mask(text_of(name)).replace("/", "\u2215") for name in path)
        key = shortened(key, LONGEST_PATH)
        if len(self.parts) >= MOST_PARTS and key not in self.parts:
            self._tell_cut()
            return
        said = shortened(self._mask(text_of(note)), LONGEST_NOTE) if note else ""
        self.parts[key] = {"done": _number(done), "total": _number(total), **({"note": said} if said else {})}
        self.unsaved = True

    def _tell_cut(self) -> None:
        if not self._cut:
            log.warning("the progress of further parts is left out: a run has %d at most", MOST_PARTS)
        self._cut = True

    def text(self) -> str:
        """All reports as JSON."""
        # Of a copy: other threads of the task may report meanwhile.
        return json.dumps(dict(self.parts))


def _number(value: object) -> int | float | None:
    try:
        number = count_of(value)
    except Unfit:
        return None
    return number if isinstance(number, (int, float)) else None


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
