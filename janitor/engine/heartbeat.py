"""The heartbeat: the clock touches a file at each tick, and `health` reads from another process when it last did.

The file holds a line for each part of the daemon that fails again and again; it is empty if there is none.
"""

import logging
import time
from collections.abc import Sequence
from pathlib import Path

from janitor.errors import BadSetting

log = logging.getLogger(__name__)

TICK_SECONDS = 5.0
"""How often the clock ticks at least, whether slots are due or not."""

DEAD_SECONDS = 30.0
"""How long ago the clock's last tick may be: six times as long as it takes between two ticks."""


class Heartbeat:
    """The clock's ticks, in a file and in memory."""

    def __init__(self, path: Path) -> None:
        """Nothing is written before the first beat."""
        self._path = path
        self._fails = False
        self._ticked: float | None = None
        self._told: str | None = None

    def beat(self, now: float | None = None, troubles: Sequence[object] = ()) -> None:
        """The clock ticks at `now`, a reading of `time.monotonic()`; at this moment when None.

        `troubles` are what the file holds, a line for each. A file that cannot be touched is logged once, and the runs
        go on: `health` tells of it.
        """
        self._ticked = time.monotonic() if now is None else now
        told = "".join(f"{one}\n" for one in troubles)
        try:
            touch(self._path)
            if told != self._told:
                self._path.write_text(told, encoding="utf-8", errors="replace")
                self._told = told
        except OSError as exc:
            level = logging.DEBUG if self._fails else logging.ERROR
            log.log(level, "the heartbeat file cannot be touched: %s", exc)
            self._fails = True
        else:
            self._fails = False

    def silent_seconds(self) -> float | None:
        """How long ago the clock last ticked, by a clock that nobody sets; None before the first tick."""
        return None if self._ticked is None else time.monotonic() - self._ticked


def touch(path: Path) -> None:
    """Tell that the clock ticks.

    Raises:
        OSError: the file cannot be written.
    """
    try:
        path.touch()
    except OSError:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def require(path: Path) -> None:
    """Make sure that the file can be written before the clock starts, and leave it as it was: nothing ticks yet.

    Raises:
        BadSetting: it cannot be written.
    """
    try:
        if path.exists():
            path.open("ab").close()
        else:
            touch(path)
            path.unlink(missing_ok=True)
    except OSError as exc:
        raise BadSetting("HEARTBEAT_FILE", path, f"it cannot be written ({exc.strerror}); give another path") from exc


def troubles(path: Path) -> Sequence[str]:
    """What fails again and again in the daemon of this file, a sentence for each; none if the file cannot be read."""
    try:
        return path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []


def age(path: Path) -> float:
    """How many seconds ago the file was touched.

    Raises:
        OSError: it cannot be read.
    """
    return time.time() - path.stat().st_mtime
