"""Holders: the names of processes on leases and runs, from which a neighbour can tell whether a process lives.

A name has six parts: the machine, its boot, its namespace of process ids, the id, when the process began, and chance.
Only a process with the same first three parts can look the id up; the time tells it from a later process of that id.
"""

import os
import socket
import uuid
from pathlib import Path

from janitor.state.clocks import boot_id


def new_holder() -> str:
    """A name for this process alone."""
    parts = (*_neighbourhood(), str(os.getpid()), _began(os.getpid()), uuid.uuid4().hex[:8])
    return "|".join(parts)


def holder_of_run(holder: str, run_id: int) -> str:
    """The name under which a run takes leases of its own, besides its job's: after the run, nobody renews them."""
    return f"{holder}#{run_id}"


def is_dead(holder: str) -> bool:
    """True if the process of that name ran on this machine and is gone; False if it lives, or if nobody here can know.

    A zombie counts as gone.
    """
    parts = holder.split("|")
    if len(parts) != 6 or parts[:3] != _neighbourhood() or not parts[1]:
        return False
    return _began(int(parts[3])) != parts[4]


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


def _began(pid: int) -> str:
    """When a process began, in the kernel's ticks; empty if there is no such process, or only its zombie."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    except OSError:
        return ""
    return "" if fields[0] in ("Z", "X") else fields[19]
