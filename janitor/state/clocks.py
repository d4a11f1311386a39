"""A clock that nobody sets: it only goes on, also while the machine sleeps, alike in all processes of one boot."""

import time
import uuid
from pathlib import Path

_PROCESS = uuid.uuid4().hex


def boot_clock() -> float:
    """Seconds on that clock; only differences mean anything, and only within one `era`."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic()


def era() -> str:
    """What `boot_clock` counts within: this boot of the machine, or this process where the machine does not tell."""
    return boot_id() or _PROCESS


def boot_id() -> str:
    """A name for this boot of the machine, the same in all its processes; empty where the machine does not tell."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return ""
