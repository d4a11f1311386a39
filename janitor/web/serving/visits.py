"""Whether people look at this dashboard: a file beside the heartbeat file, whose time is that of their last visit.

A dashboard that people look at is loaded with the daemon, so that its first page comes at once. It takes some 40 MB,
which a daemon does without if nobody looks. A program that reads metrics or asks the API is a visitor; a probe is none.
"""

import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

SUFFIX = "-visited"
LATELY_SECONDS = 30 * 86_400.0
"""How long after a visit another visit is expected."""


class Visits:
    """When this dashboard was last visited, kept over restarts."""

    def __init__(self, heartbeat_file: Path, clock: Callable[[], float] = time.time) -> None:
        """Nothing is read or written yet; `clock` tells the host's time."""
        self._path, self._clock = heartbeat_file.with_name(f"{heartbeat_file.name}{SUFFIX}"), clock

    @property
    def are_recent(self) -> bool:
        """Whether the last visit was lately; False if it is not known."""
        with suppress(OSError):
            return self._clock() - self._path.stat().st_mtime < LATELY_SECONDS
        return False

    def note(self) -> None:
        """Somebody visits now. If the file cannot be written, the next start does without it."""
        with suppress(OSError):
            self._path.touch()
