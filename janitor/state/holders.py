"""Holders: the names of processes on leases and runs, from which a neighbour can tell whether a process lives.

    lab-1 | 5f3a... | pid:[1] | 4711 | 88123 | 9c02d1ee/30

A name has six parts: the machine, its boot, its namespace of process ids, the id, when the process began, and chance,
with how many seconds its leases last. Only a process with the same first three parts can look the id up; the time tells
it from a later process of that id.
"""

import os
import re
import socket
import uuid
from pathlib import Path

from janitor.state.clocks import boot_id

LONGEST_LEASE_SECONDS = 60.0
"""No lease lasts longer, whoever holds it; `LEASE_SECONDS` takes no more."""
PROCESSES = Path("/proc")
_LASTS = re.compile(r"/([0-9.]+)(#[0-9]+)?$")


def new_holder(lease_seconds: float = LONGEST_LEASE_SECONDS) -> str:
    """A name for this process alone, whose leases last so long."""
    chance = f"{uuid.uuid4().hex[:8]}/{lease_seconds:g}"
    return "|".join((*_neighbourhood(), str(os.getpid()), _began(os.getpid()) or "", chance))


def lease_seconds_of(holder: str) -> float:
    """How long the leases of a process last; the longest time if its name does not say it, as before release 0.2."""
    found = _LASTS.search(holder)
    return float(found[1]) if found else LONGEST_LEASE_SECONDS


def holder_of_run(holder: str, run_id: int) -> str:
    """The name under which a run takes leases of its own, besides its job's: after the run, nobody renews them."""
    return f"{holder}#{run_id}"


def is_dead(holder: str) -> bool:
    """True if the process of that name ran on this machine and is gone; False if it lives, or if nobody here can know.

    A zombie counts as gone. A machine may hide the processes of other users (`hidepid`): those count as living.
    """
    parts = holder.split("|")
    if len(parts) != 6 or parts[:3] != _neighbourhood() or not (parts[1] and parts[2]):
        return False
    began = _began(int(parts[3]))
    return began != parts[4] and not (began is None and _exists(int(parts[3])))


def process(holder: str) -> str:
    """The process that a lease or run names, for people."""
    parts = holder.split("|")
    return f"process {parts[3]} on {parts[0]}" if len(parts) > 3 else holder


def _neighbourhood() -> list[str]:
    return [socket.gethostname(), boot_id(), _pid_namespace()]


def _pid_namespace() -> str:
    try:
        return os.readlink("/proc/self/ns/pid")
    except OSError:
        return ""


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass  # it is another user's
    return True


def _began(pid: int) -> str | None:
    """When a process began, in the kernel's ticks; empty if only its zombie is there, None if it cannot be seen."""
    try:
        text = (PROCESSES / str(pid) / "stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    fields = text.rpartition(")")[2].split()
    return "" if fields[0] in ("Z", "X") else fields[19]
