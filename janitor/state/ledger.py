"""The ledger: the digests of what has been published, each entered once."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from sqlalchemy import Connection, and_, bindparam, delete, func, insert, select

from janitor.state.tables import ledger

DIGESTS_AT_ONCE = 500
"""How many digests one statement names."""

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
    """Those of the 16-byte `digests` that the ledger `name` holds."""
    found: set[bytes] = set()
    for chunk in _chunks(digests):
        found.update(connection.execute(_KNOWN, {"name": name, "digests": chunk}).scalars())
    return found


def add(connection: Connection, name: str, digests: Iterable[bytes], now: datetime) -> None:
    """Enter digests, in the caller's fenced transaction.

    Raises:
        Rejected: a digest is in the ledger already.
    """
    rows = [{"name": name, "digest": digest, "published_at": now} for digest in digests]
    if rows:
        connection.execute(insert(ledger), rows)


def prune(connection: Connection, name: str, before: datetime, limit: int = 1_000) -> int:
    """Delete the oldest entries made before `before`, `limit` at most; return how many went."""
    old = select(ledger.c.digest).where(ledger.c.name == name, ledger.c.published_at < before)
    digests = connection.execute(old.order_by(ledger.c.published_at).limit(limit)).scalars().all()
    for chunk in _chunks(digests):
        connection.execute(delete(ledger).where(and_(ledger.c.name == name, ledger.c.digest.in_(chunk))))
    return len(digests)


def size(connection: Connection, name: str) -> int:
    """How many digests the ledger `name` holds."""
    return int(connection.execute(select(func.count()).where(ledger.c.name == name)).scalar_one())


def names(connection: Connection) -> Iterator[str]:
    """Yield the names of all ledgers that hold a digest; each name costs one look into an index."""
    name: str | None = ""
    while (name := connection.execute(_NEXT_NAME, {"name": name}).scalar()) is not None:
        yield name


def span(connection: Connection, name: str) -> tuple[datetime, datetime] | None:
    """When the oldest and the newest entry were made; None if the ledger holds no entry."""
    first = connection.execute(_ENDS.order_by(ledger.c.published_at).limit(1), {"name": name}).scalar()
    last = connection.execute(_ENDS.order_by(ledger.c.published_at.desc()).limit(1), {"name": name}).scalar()
    return None if first is None or last is None else (first, last)


def next_entry_at(connection: Connection, name: str, since: datetime) -> datetime | None:
    """When the first entry at or after `since` was made; None if there is no such entry."""
    later = _ENDS.where(ledger.c.published_at >= bindparam("since")).order_by(ledger.c.published_at).limit(1)
    return connection.execute(later, {"name": name, "since": since}).scalar()


def entered(connection: Connection, name: str, since: datetime, until: datetime) -> int:
    """How many entries were made at or after `since` and before `until`."""
    found = connection.execute(_ENTERED, {"name": name, "since": since, "until": until})
    return int(found.scalar_one())


def _chunks(digests: Sequence[bytes]) -> Iterator[Sequence[bytes]]:
    for start in range(0, len(digests), DIGESTS_AT_ONCE):
        yield digests[start : start + DIGESTS_AT_ONCE]
