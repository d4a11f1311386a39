"""The heartbeat file, which the clock touches at each tick and `health` reads from another process."""

import time
from pathlib import Path

from janitor.errors import BadSetting

TICK_SECONDS = 5.0
"""The clock ticks at least this often, due slots or none, and touches its heartbeat file."""

DEAD_SECONDS = 30.0
"""How long ago the clock's last tick may be: six times as long as it takes between two."""


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
    """Make sure that it can be written before the clock starts, and leave it as it was: nothing ticks yet.

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


def age(path: Path) -> float:
    """How many seconds ago it was touched.

    Raises:
        OSError: it cannot be read.
    """
    return time.time() - path.stat().st_mtime
