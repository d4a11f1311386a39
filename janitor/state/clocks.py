"""The boot clock: nobody can set it, it goes on while the machine sleeps, and all processes of one boot share it."""

import time
import uuid
from pathlib import Path

_PROCESS = uuid.uuid4().hex


def boot_clock() -> float:
    """Seconds on the boot clock. Only differences mean something, and only within one `era`."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic()


def era() -> str:
    """A name for the time in which `boot_clock` counts: this boot, or this process if the machine names no boot."""
    return boot_id() or _PROCESS


def boot_id() -> str:
    """A name for this boot of the machine, the same in all processes; empty if the machine names no boot."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return ""
