"""The ledger: what has been published already, by digest."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from sqlalchemy import Connection, and_, bindparam, delete, func, insert, select

from janitor.state.tables import ledger

CHUNK = 500
_KNOWN = select(ledger.c.digest).where(
    ledger.c.name == bindparam("name"), ledger.c.digest.in_(bindparam("digests", expanding=True))
)

_NEXT_NAME = select(func.min(ledger.c.name)).where(ledger.c.name > bindparam("name"))
_ENDS = select(ledger.c.published_at).where(ledger.c.name == bindparam("name"))
_ENTERED = select(func.count()).where(
    ledger.c.name == bindparam("name"),
    ledger.c.published_at >= bindparam("since"),
    ledger.c.published_at < bindparam("until"),
)


def known(connection: Connection, name: str, digests: Sequence[bytes]) -> set[bytes]:
    """Those of the 16-byte `digests` that are in the ledger called `name`."""
    found: set[bytes] = set()
    for start in range(0, len(digests), CHUNK):
        found.update(connection.execute(_KNOWN, {"name": name, "digests": digests[start : start + CHUNK]}).scalars())
    return found


def add(connection: Connection, name: str, digests: Iterable[bytes], now: datetime) -> None:
    """Enter digests, in the caller's fenced transaction.

    Raises:
        Rejected: one of them is in the ledger already.
    """
    rows = [{"name": name, "digest": digest, "published_at": now} for digest in digests]
    if rows:
        connection.execute(insert(ledger), rows)


def prune(connection: Connection, name: str, before: datetime, limit: int = 1_000) -> int:
    """Delete up to `limit` of the entries made before a moment; how many went."""
    old = select(ledger.c.digest).where(ledger.c.name == name, ledger.c.published_at < before)
    digests = connection.execute(old.order_by(ledger.c.published_at).limit(limit)).scalars().all()
    for chunk in _chunks(digests):
        connection.execute(delete(ledger).where(and_(ledger.c.name == name, ledger.c.digest.in_(chunk))))
    return len(digests)


def size(connection: Connection, name: str) -> int:
    """How many digests the ledger holds."""
    return int(connection.execute(select(func.count()).where(ledger.c.name == name)).scalar_one())


def names(connection: Connection) -> Iterator[str]:
    """The ledgers that hold anything, each found by one look into the key."""
    name: str | None = ""
    while (name := connection.execute(_NEXT_NAME, {"name": name}).scalar()) is not None:
        yield name


def span(connection: Connection, name: str) -> tuple[datetime, datetime] | None:
    """When the oldest and the newest of a ledger's entries were made; None for one without any."""
    first = connection.execute(_ENDS.order_by(ledger.c.published_at).limit(1), {"name": name}).scalar()
    last = connection.execute(_ENDS.order_by(ledger.c.published_at.desc()).limit(1), {"name": name}).scalar()
    return None if first is None or last is None else (first, last)


def next_entry_at(connection: Connection, name: str, since: datetime) -> datetime | None:
    """When the first of a ledger's entries was made that is not older than a moment; None where there is none."""
    later = _ENDS.where(ledger.c.published_at >= bindparam("since")).order_by(ledger.c.published_at).limit(1)
    return connection.execute(later, {"name": name, "since": since}).scalar()


def entered(connection: Connection, name: str, since: datetime, until: datetime) -> int:
    """How many of a ledger's entries were made from one moment until before another."""
    found = connection.execute(_ENTERED, {"name": name, "since": since, "until": until})
    return int(found.scalar_one())


def _chunks(digests: Sequence[bytes]) -> Iterator[Sequence[bytes]]:
    for start in range(0, len(digests), CHUNK):
        yield digests[start : start + CHUNK]
