"""Leases: who may do a thing now, and the token that shows it to every later write."""

import os
import socket
import uuid
from collections.abc import Collection
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Row, bindparam, insert, select, tuple_, update

from janitor.runs import Fence
from janitor.state.clocks import boot_id
from janitor.state.tables import leases

DAEMON = "daemon"
NEVER = datetime(1970, 1, 1, tzinfo=timezone.utc)

# Statements that every run executes are made once: making one takes SQLAlchemy longer than executing it.
_FOUND = select(leases).where(leases.c.name == bindparam("b_name")).with_for_update()
_FIRST = (
    insert(leases)
    .prefix_with("OR IGNORE", dialect="sqlite")
    .prefix_with("IGNORE", dialect="mysql")
    .prefix_with("IGNORE", dialect="mariadb")
)
_CHANGE = (
    update(leases)
    .where(leases.c.name == bindparam("b_name"), leases.c.token == bindparam("b_token"))
    .values({name: bindparam(name) for name in ("holder", "token", "expires_at")})
)


def job_lease(job: str) -> str:
    """The name of the lease that one run of `job` holds."""
    return f"job:{job}"


def new_holder() -> str:
    """A name for this process alone, from which its neighbours on the machine can tell whether it lives."""
    return "|".join(
        (
            socket.gethostname(),
            boot_id(),
            _pid_namespace(),
            str(os.getpid()),
            _started(os.getpid()),
            uuid.uuid4().hex[:8],
        )
    )


def holder_of_run(holder: str, run_id: int) -> str:
    """The name under which a run takes leases of its own, besides its job's: nobody renews them after the run."""
    return f"{holder}#{run_id}"


def is_dead(holder: str) -> bool:
    """True where the process of that name ran on this machine and is gone; False where it lives, or nobody can know."""
    parts = holder.split("|")
    if len(parts) != 6 or parts[:3] != [socket.gethostname(), boot_id(), _pid_namespace()] or not parts[1]:
        return False
    return _started(int(parts[3])) != parts[4]


def acquire(
    connection: Connection, name: str, holder: str, now: datetime, seconds: float, again: bool = False
) -> Fence | None:
    """Take the lease for `seconds` from `now`, with a new token; None where somebody else holds it.

    The caller's transaction decides when it counts. A lease whose holder is known to be dead is free at once. With
    `again` one's own is free too: for a caller who knows that nothing goes on under it.
    """
    row = connection.execute(_FOUND, {"b_name": name}).one_or_none()
    return take(connection, name, row, holder, now, seconds, again)


def take(
    connection: Connection,
    name: str,
    row: Row[Any] | None,
    holder: str,
    now: datetime,
    seconds: float,
    again: bool = False,
) -> Fence | None:
    """As `acquire`, with the lease as it was found just now (None: there is none); who has been quicker has it."""
    expires_at = now + timedelta(seconds=seconds)
    if row is None:
        first = {"name": name, "holder": holder, "token": 1, "expires_at": expires_at}
        return Fence(name, 1) if connection.execute(_FIRST, first).rowcount == 1 else None
    free = row.holder is None or row.expires_at <= now or (again and row.holder == holder) or is_dead(row.holder)
    if not free:
        return None
    values = {"holder": holder, "token": row.token + 1, "expires_at": expires_at}
    changed = connection.execute(_CHANGE, {"b_name": name, "b_token": row.token, **values})
    return Fence(name, row.token + 1) if changed.rowcount == 1 else None


def renew(connection: Connection, fences: Collection[Fence], now: datetime, seconds: float) -> set[Fence]:
    """Extend leases for `seconds` from `now`; those that still stand. A lease that nobody renews ends by itself."""
    wanted = [(fence.name, fence.token) for fence in fences]
    if not wanted:
        return set()
    mine = tuple_(leases.c.name, leases.c.token).in_(wanted) & leases.c.holder.is_not(None)
    connection.execute(update(leases).where(mine).values(expires_at=now + timedelta(seconds=seconds)))
    return {Fence(*row) for row in connection.execute(select(leases.c.name, leases.c.token).where(mine))}


def renew_of(connection: Connection, holders: Collection[str], now: datetime, seconds: float) -> None:
    """Extend every lease of some holders."""
    extended = update(leases).where(leases.c.holder.in_(holders)).values(expires_at=now + timedelta(seconds=seconds))
    if holders:
        connection.execute(extended)


def release(connection: Connection, fence: Fence) -> None:
    """Give the lease back; nothing happens where it was lost already."""
    values = {"holder": None, "token": fence.token + 1, "expires_at": NEVER}
    connection.execute(_CHANGE, {"b_name": fence.name, "b_token": fence.token, **values})


def release_of(connection: Connection, holder: str, name: str | None = None) -> None:
    """Give back every lease of a holder, or one by name; what still goes on under them writes nothing more."""
    freed = {"holder": None, "expires_at": NEVER, "token": leases.c.token + 1}
    statement = update(leases).where(leases.c.holder == holder).values(freed)
    connection.execute(statement if name is None else statement.where(leases.c.name == name))


def revoke_dead(connection: Connection, now: datetime) -> set[str]:
    """Give back every lease that has expired or whose holder is dead, with new tokens; the holders of the others."""
    live = live_holders(connection, now)
    query = select(leases.c.holder).distinct().where(leases.c.holder.is_not(None))
    for holder in set(connection.execute(query).scalars()) - live:
        release_of(connection, holder)
    return live


def live_holders(connection: Connection, now: datetime) -> set[str]:
    """The holders of unexpired leases, less those known to be dead."""
    query = select(leases.c.holder).where(leases.c.holder.is_not(None), leases.c.expires_at > now)
    return {holder for holder in connection.execute(query).scalars() if not is_dead(holder)}


def holder_of(connection: Connection, name: str) -> str | None:
    """Who holds the lease, expired or not; None where it is free."""
    return connection.execute(select(leases.c.holder).where(leases.c.name == name)).scalar()


def _pid_namespace() -> str:
    try:
        return os.readlink("/proc/self/ns/pid")
    except OSError:
        return ""


def _started(pid: int) -> str:
    """When a process began, in the kernel's ticks; empty where there is no such process (a zombie counts as none)."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    except OSError:
        return ""
    return "" if fields[0] in ("Z", "X") else fields[19]


def process(holder: str) -> str:
    """The process that a lease or run names, for people."""
    parts = holder.split("|")
    return f"process {parts[3]} on {parts[0]}" if len(parts) > 3 else holder
