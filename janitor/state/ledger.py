"""The ledger: with which digest each key was published last.

    name          key                 digest     published_at
    my_task       status 41, DN7      of "A"     2026-07-01        published with the content A
    my_task       status 41, DN7      of "B"     2026-07-02        the same row, when B was published after A
    my_task       status 41, DN7      of "A"     2026-07-03        and again when A came back

What never changes needs no key of its own: its digest is its key.

Releases before schema 0004 kept digests alone. A key without an entry counts as published if its digest is among them.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, bindparam, delete, func, insert, select

from janitor.state.tables import ledger as digests_of_old
from janitor.state.tables import ledger_entries

KEYS_AT_ONCE = 500
"""How many keys one statement names."""

_TABLE = ledger_entries.c
_ENTRIES = select(_TABLE.key, _TABLE.digest, _TABLE.published_at).where(
    _TABLE.name == bindparam("name"), _TABLE.key.in_(bindparam("keys", expanding=True))
)
_TAKE_OUT = delete(ledger_entries).where(
    _TABLE.name == bindparam("name"), _TABLE.key.in_(bindparam("keys", expanding=True))
)
_ADOPTION = (
    insert(ledger_entries)
    .prefix_with("OR IGNORE", dialect="sqlite")
    .prefix_with("IGNORE", dialect="mysql")
    .prefix_with("IGNORE", dialect="mariadb")
)
_OLD_IS_THERE = select(digests_of_old.c.digest).where(digests_of_old.c.name == bindparam("name")).limit(1)
_OLD_DIGESTS = select(digests_of_old.c.digest).where(
    digests_of_old.c.name == bindparam("name"), digests_of_old.c.digest.in_(bindparam("digests", expanding=True))
)

_NEXT_NAME = select(func.min(_TABLE.name)).where(_TABLE.name > bindparam("name"))
_ENDS = select(_TABLE.published_at).where(_TABLE.name == bindparam("name"))
_ENTERED = select(func.count()).where(
    _TABLE.name == bindparam("name"),
    _TABLE.published_at >= bindparam("since"),
    _TABLE.published_at < bindparam("until"),
)


class Entry(NamedTuple):
    """With which digest a key was published last, and when."""

    digest: bytes
    published_at: datetime


def entries(connection: Connection, name: str, keys: Sequence[bytes]) -> dict[bytes, Entry]:
    """The entries of those `keys` that have one in the ledger `name`."""
    found: dict[bytes, Entry] = {}
    for chunk in _chunks(keys):
        rows = connection.execute(_ENTRIES, {"name": name, "keys": chunk})
        found.update((key, Entry(digest, published_at)) for key, digest, published_at in rows)
    return found


def without_key(connection: Connection, name: str, digests: Sequence[bytes]) -> set[bytes]:
    """Those `digests` that a release before schema 0004 has entered into the ledger `name`."""
    found: set[bytes] = set()
    if digests and connection.execute(_OLD_IS_THERE, {"name": name}).scalar() is not None:
        for chunk in _chunks(digests):
            found.update(connection.execute(_OLD_DIGESTS, {"name": name, "digests": chunk}).scalars())
    return found


def enter(connection: Connection, name: str, digests: Mapping[bytes, bytes], now: datetime) -> None:
    """Enter the digest of each key in place of the one before, in the caller's fenced transaction.

    A key has up to 32 bytes, a digest 16. Entering the same twice is harmless.
    """
    for chunk in _chunks(list(digests)):
        connection.execute(_TAKE_OUT, {"name": name, "keys": chunk})
        connection.execute(insert(ledger_entries), [_row(name, key, digests[key], now) for key in chunk])


def adopt(connection: Connection, name: str, digests: Mapping[bytes, bytes], now: datetime) -> None:
    """Enter the digest of each key that has no entry; a key that has an entry keeps it."""
    rows = [_row(name, key, digest, now) for key, digest in digests.items()]
    if rows:
        connection.execute(_ADOPTION, rows)


def prune(connection: Connection, name: str, before: datetime, limit: int = 1_000) -> int:
    """Delete the oldest entries made before `before`, `limit` at most of each kind; return how many went."""
    gone = 0
    for table, column in ((ledger_entries, _TABLE.key), (digests_of_old, digests_of_old.c.digest)):
        old = select(column).where(table.c.name == name, table.c.published_at < before)
        found = connection.execute(old.order_by(table.c.published_at).limit(limit)).scalars().all()
        for chunk in _chunks(found):
            connection.execute(delete(table).where(table.c.name == name, column.in_(chunk)))
        gone += len(found)
    return gone


def size(connection: Connection, name: str) -> int:
    """How many keys have an entry in the ledger `name`."""
    return int(connection.execute(select(func.count()).where(_TABLE.name == name)).scalar_one())


def names(connection: Connection) -> Iterator[str]:
    """Yield the names of all ledgers that hold an entry; each name costs one look into an index."""
    name: str | None = ""
    while (name := connection.execute(_NEXT_NAME, {"name": name}).scalar()) is not None:
        yield name


def span(connection: Connection, name: str) -> tuple[datetime, datetime] | None:
    """When the oldest and the newest entry were made; None if the ledger holds no entry."""
    first = connection.execute(_ENDS.order_by(_TABLE.published_at).limit(1), {"name": name}).scalar()
    last = connection.execute(_ENDS.order_by(_TABLE.published_at.desc()).limit(1), {"name": name}).scalar()
    return None if first is None or last is None else (first, last)


def next_entry_at(connection: Connection, name: str, since: datetime) -> datetime | None:
    """When the first entry at or after `since` was made; None if there is no such entry."""
    later = _ENDS.where(_TABLE.published_at >= bindparam("since")).order_by(_TABLE.published_at).limit(1)
    return connection.execute(later, {"name": name, "since": since}).scalar()


def entered(connection: Connection, name: str, since: datetime, until: datetime) -> int:
    """How many entries were made at or after `since` and before `until`."""
    found = connection.execute(_ENTERED, {"name": name, "since": since, "until": until})
    return int(found.scalar_one())


def by_key(changes: Mapping[bytes, bytes] | Iterable[bytes]) -> Mapping[bytes, bytes]:
    """Digests by their keys; a digest that comes without a key is its own key."""
    return changes if isinstance(changes, Mapping) else {digest: digest for digest in changes}


def _row(name: str, key: bytes, digest: bytes, now: datetime) -> dict[str, object]:
    return {"name": name, "key": key, "digest": digest, "published_at": now}


def _chunks(values: Sequence[bytes]) -> Iterator[Sequence[bytes]]:
    for start in range(0, len(values), KEYS_AT_ONCE):
        yield values[start : start + KEYS_AT_ONCE]
