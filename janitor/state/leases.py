"""Leases: who may do a thing now, and the token that shows it to every later write.

    name        holder     token   expires_at
    daemon      process A      7   12:00:30     the clock of A goes
    job:copy    process A     41   12:00:30     a run of copy goes on in A
    job:clean   (none)        12   1970         free

1. To take a lease, a process must find it free: without a holder, expired, or its holder known to be dead.
2. Taking is a conditional UPDATE: it counts only if the token is still the token that was found. Of two who try, one
   succeeds.
3. Each change of holder, giving back too, makes the token larger by 1. A token never comes twice.
4. Name and token are a fence. A write under a fence first looks whether that row still stands.
5. Who holds a lease renews it. If its holder dies or hangs, the lease expires by itself.
6. The clock may be set back, and every lease ends too late then. Nobody renews a lease for longer than its length. So
   whoever finds a lease that ends later lets it end after its length. A holder that lives renews it before.
7. The clock may be set forward, and every lease has ended then. Who knows of that leap (`SharedClock.leapt`) leaves
   leases to their holders until these have renewed them.

It is our own because the state database is the only thing that all daemons share: a lock server would be another part
to run, and a database's own locks end with a connection and have no token.
"""

import logging
from collections.abc import Collection
from datetime import datetime, timedelta, timezone
from typing import Any

from sqlalchemy import Connection, Row, bindparam, insert, select, tuple_, update

from janitor.runs import Fence
from janitor.state.holders import LONGEST_LEASE_SECONDS, is_dead, lease_seconds_of, process
from janitor.state.tables import leases

log = logging.getLogger(__name__)

DAEMON = "daemon"
OF_JOB = "job:"
NEVER = datetime(1970, 1, 1, tzinfo=timezone.utc)
NO_LEAP = timedelta()
MARGIN = timedelta(seconds=1)
"""A lease may end so much too late: clocks are moved a little all the time."""

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
    return f"{OF_JOB}{job}"


def acquire(
    connection: Connection,
    name: str,
    holder: str,
    now: datetime,
    seconds: float,
    again: bool = False,
    leapt: timedelta = NO_LEAP,
) -> Fence | None:
    """Take a lease for `seconds` from `now`, with a new token; None if another holder has it.

    It counts once the caller's transaction commits. A lease whose holder is known to be dead is free at once. With
    `again` the holder's own lease is free too: for a caller who knows that nothing goes on under it. `leapt` is how far
    the clock was set forward just now.
    """
    row = connection.execute(_FOUND, {"b_name": name}).one_or_none()
    return take(connection, name, row, holder, now, seconds, again, leapt)


def take(
    connection: Connection,
    name: str,
    row: Row[Any] | None,
    holder: str,
    now: datetime,
    seconds: float,
    again: bool = False,
    leapt: timedelta = NO_LEAP,
) -> Fence | None:
    """As `acquire`, with the lease as it was found just now, None if there is no such row.

    None too if another process took it in between.
    """
    expires_at = now + timedelta(seconds=seconds)
    if row is None:
        first = {"name": name, "holder": holder, "token": 1, "expires_at": expires_at}
        return Fence(name, 1) if connection.execute(_FIRST, first).rowcount == 1 else None
    ended = row.expires_at <= now - leapt
    if not (row.holder is None or ended or (again and row.holder == holder) or is_dead(row.holder)):
        _cut(connection, row, now)
        return None
    values = {"holder": holder, "token": row.token + 1, "expires_at": expires_at}
    changed = connection.execute(_CHANGE, {"b_name": name, "b_token": row.token, **values})
    return Fence(name, row.token + 1) if changed.rowcount == 1 else None


def cut_all(connection: Connection, now: datetime) -> None:
    """Let each lease end after its length that would end later, since the clock was set back after it was renewed.

    It may be done at any time, by anybody: a holder that lives renews its lease long before.
    """
    latest = now + timedelta(seconds=LONGEST_LEASE_SECONDS) + MARGIN
    for row in connection.execute(select(leases).where(leases.c.holder.is_not(None), leases.c.expires_at > latest)):
        _cut(connection, row, now)


def _cut(connection: Connection, row: Row[Any], now: datetime) -> None:
    with_its_process = row.name == DAEMON or row.name.startswith(OF_JOB)
    seconds = lease_seconds_of(row.holder) if with_its_process else LONGEST_LEASE_SECONDS
    latest = now + timedelta(seconds=seconds)
    if row.expires_at <= latest + MARGIN:
        return
    same = (leases.c.name == row.name) & (leases.c.token == row.token) & (leases.c.expires_at == row.expires_at)
    if connection.execute(update(leases).where(same).values(expires_at=latest)).rowcount == 1:
        text = "the clock was set back: the lease %s of %s would last for %.0f s, and ends in %g s if it is not renewed"
        log.warning(text, row.name, process(row.holder), (row.expires_at - now).total_seconds(), seconds)


def renew(connection: Connection, fences: Collection[Fence], now: datetime, seconds: float) -> set[Fence]:
    """Extend leases for `seconds` from `now`; returns the leases that still stand."""
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
    """Give a lease back; nothing happens if it is lost already."""
    values = {"holder": None, "token": fence.token + 1, "expires_at": NEVER}
    connection.execute(_CHANGE, {"b_name": fence.name, "b_token": fence.token, **values})


def release_of(connection: Connection, holder: str, name: str | None = None) -> None:
    """Give back every lease of a holder, or the lease `name` alone; what goes on under them writes nothing more."""
    freed = {"holder": None, "expires_at": NEVER, "token": leases.c.token + 1}
    statement = update(leases).where(leases.c.holder == holder).values(freed)
    connection.execute(statement if name is None else statement.where(leases.c.name == name))


def revoke_dead(connection: Connection, now: datetime) -> set[str]:
    """Give back every lease that has expired, or whose holder is dead; returns the holders of all others."""
    live = live_holders(connection, now)
    query = select(leases.c.holder).distinct().where(leases.c.holder.is_not(None))
    for holder in set(connection.execute(query).scalars()) - live:
        release_of(connection, holder)
    return live


def live_holders(connection: Connection, now: datetime) -> set[str]:
    """The holders of leases that have not expired, without those known to be dead."""
    query = select(leases.c.holder).where(leases.c.holder.is_not(None), leases.c.expires_at > now)
    return {holder for holder in connection.execute(query).scalars() if not is_dead(holder)}


def holder_of(connection: Connection, name: str) -> str | None:
    """Who holds a lease, expired or not; None if nobody does."""
    return connection.execute(select(leases.c.holder).where(leases.c.name == name)).scalar()
