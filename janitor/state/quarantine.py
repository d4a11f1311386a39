"""The quarantine: rows that could not be delivered, each with its reason, kept until they can be.

    name           key          item    reason      dropped_at
    my_task        sample DN7   41      no name     -             waits, and is counted
    my_task        sample DN7   42      no name     -             the same key: told and counted once
    my_task        sample DN8   42      no name     2026-07-01    a person gave it up: it is not counted

A row is known by (name, key, item). The key is for people. The item is what the task looks at again.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, bindparam, delete, distinct, func, insert, select, tuple_, update

from janitor.jobs.schedules import EPOCH
from janitor.runs import bounds
from janitor.runs.bounds import shortened
from janitor.state.pieces import in_pieces
from janitor.state.tables import quarantine

LONGEST_KEY = 255
"""In characters."""
KEYS_AT_ONCE = 500

# Two runs may find the same row at the same moment.
_ADDITION = (
    insert(quarantine)
    .prefix_with("OR IGNORE", dialect="sqlite")
    .prefix_with("IGNORE", dialect="mysql")
    .prefix_with("IGNORE", dialect="mariadb")
)

_MINE = quarantine.c.name == bindparam("b_name")
_SOME = select(quarantine.c.key).where(_MINE).limit(1)
_SIZE = select(func.count(distinct(quarantine.c.key))).where(_MINE, quarantine.c.dropped_at.is_(None))
_DROPPED = select(func.count(distinct(quarantine.c.key))).where(_MINE, quarantine.c.dropped_at.is_not(None))
_OLDEST = (
    select(quarantine.c.key, quarantine.c.item).where(_MINE).order_by(quarantine.c.last_at).limit(bindparam("b_limit"))
)
_OF_ITEMS = select(quarantine.c.key, quarantine.c.item).where(
    _MINE, quarantine.c.item.in_(bindparam("b_items", expanding=True))
)
_TOUCH = (
    update(quarantine)
    .where(_MINE, tuple_(quarantine.c.key, quarantine.c.item).in_(bindparam("b_identities", expanding=True)))
    .values(last_at=bindparam("b_now"))
)


@dataclass(frozen=True)
class Quarantined:
    """A row that cannot be delivered: its key for people, why, and the item that is looked at again."""

    key: str
    reason: str
    item: str = ""


def put(
    connection: Connection, name: str, rows: Iterable[Quarantined], now: datetime, run_id: int
) -> Sequence[Quarantined]:
    """Keep rows, in the caller's fenced transaction; rows that are kept already are renewed.

    A row that was given up stays given up until its reason changes.

    Returns:
        One row for each key that is new, or is kept for a new reason.
    """
    wanted = {(row.key, row.item): row for row in map(fitted, rows)}
    held = _reasons(connection, name, sorted({key for key, _ in wanted}))
    known = {key for key, _ in held}
    fresh = [row for pair, row in wanted.items() if pair not in held]
    renewed = [row for pair, row in wanted.items() if held.get(pair) == row.reason]
    changed = {pair: row for pair, row in wanted.items() if held.get(pair, row.reason) != row.reason}
    if fresh:
        connection.execute(_ADDITION, [{**_values(row, now, run_id), "name": name, "first_at": now} for row in fresh])
    if renewed:
        connection.execute(_renewal(name), [_parameters(row, now, run_id) for row in renewed])
    if changed:
        taken_up_again = _renewal(name).values(dropped_at=None, dropped_by=None, note=None)
        connection.execute(taken_up_again, [_parameters(row, now, run_id) for row in changed.values()])
    news = {row.key: row for pair, row in wanted.items() if row.key not in known or pair in changed}
    return list(news.values())


def fitted(row: Quarantined) -> Quarantined:
    """A row as it is kept: a long reason is shortened, and of a long key the beginning and a digest are kept.

    Doing it twice is harmless.
    """
    key = row.key
    if len(key) > LONGEST_KEY or not key.isascii():
        key = key.encode("utf-8", "backslashreplace").decode("utf-8")
        key = key if len(key) <= LONGEST_KEY else f"{key[: LONGEST_KEY - 17]} {_digest(key)}"
    return replace(row, key=key, reason=shortened(row.reason, bounds.REASON))


def _digest(text: str) -> str:
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()


def of_items(connection: Connection, name: str, items: Sequence[str]) -> set[tuple[str, str]]:
    """The identities (key, item) that are kept under these items."""
    found = set[tuple[str, str]]()
    for piece in in_pieces(connection, items):
        rows = connection.execute(_OF_ITEMS, {"b_name": name, "b_items": piece})
        found.update((key, item) for key, item in rows)
    return found


def is_empty(connection: Connection, name: str) -> bool:
    """Tell whether the quarantine `name` holds no row."""
    return connection.execute(_SOME, {"b_name": name}).scalar() is None


def release(connection: Connection, name: str, identities: Iterable[tuple[str, str]]) -> None:
    """Delete rows, by (key, item): they were delivered, or are not wanted any more. Doing it twice is harmless."""
    gone = [{"_key": key, "_item": item} for key, item in identities]
    table = quarantine.c
    mine = (table.name == name) & (table.key == bindparam("_key")) & (table.item == bindparam("_item"))
    if gone:
        connection.execute(delete(quarantine).where(mine), gone)


def page(connection: Connection, name: str, after: tuple[str, str], limit: int) -> Sequence[tuple[str, str]]:
    """The next identities (key, item) after `after`, in order; `("", "")` begins."""
    table = quarantine.c
    # A bound of the key by itself, and first: SQLite finds its way along the index by no other.
    later = (table.key >= after[0]) & ((table.key > after[0]) | (table.item > after[1]))
    query = select(table.key, table.item).where(table.name == name, later).order_by(table.key, table.item).limit(limit)
    return [(key, item) for key, item in connection.execute(query)]


def checked_longest_ago(connection: Connection, name: str, limit: int) -> Sequence[tuple[str, str]]:
    """The identities (key, item) that nobody has looked at for the longest time."""
    found = connection.execute(_OLDEST, {"b_name": name, "b_limit": limit})
    return [(key, item) for key, item in found]


def touch(connection: Connection, name: str, identities: Iterable[tuple[str, str]], now: datetime) -> None:
    """Note that these rows were looked at now."""
    connection.execute(_TOUCH, {"b_name": name, "b_identities": list(identities), "b_now": now})


def look_first(connection: Connection, name: str, key: str | None = None) -> int:
    """Let the rows of a key be looked at first, or all rows if `key` is None; return how many they are."""
    mine = (quarantine.c.name == name) & (True if key is None else quarantine.c.key == key)
    return connection.execute(update(quarantine).where(mine).values(last_at=EPOCH)).rowcount


def drop(connection: Connection, name: str, key: str, actor: str, note: str, now: datetime) -> int:
    """Give up the rows of a key, with a note that says why; return how many they were. They are counted no more."""
    values = {"dropped_at": now, "dropped_by": actor, "note": note}
    mine = (quarantine.c.name == name) & (quarantine.c.key == key) & quarantine.c.dropped_at.is_(None)
    return connection.execute(update(quarantine).where(mine).values(values)).rowcount


def dropped_size(connection: Connection, name: str) -> int:
    """How many keys were given up in the quarantine `name`."""
    return int(connection.execute(_DROPPED, {"b_name": name}).scalar_one())


def sizes(connection: Connection, names: Sequence[str] | None = None) -> dict[str, int]:
    """How many keys wait in each quarantine that holds any; only in those of `names` if it is given."""
    table = quarantine.c
    query = select(table.name, func.count(distinct(table.key))).where(table.dropped_at.is_(None)).group_by(table.name)
    query = query if names is None else query.where(table.name.in_(names))
    return {name: count for name, count in connection.execute(query)}


def listing(
    connection: Connection, *names: str, dropped: bool = False, limit: int | None = None, offset: int = 0
) -> Sequence[Row[Any]]:
    """One line for each key and reason, with the number of its items; the oldest first.

    They are those of the quarantines `names`, or of all without any name. With `dropped` the lines are those of rows
    that were given up.
    """
    table = quarantine.c
    first, last = func.min(table.first_at, type_=table.first_at.type), func.max(table.last_at, type_=table.last_at.type)
    items = func.count().label("items")
    given_up = (table.dropped_at, table.dropped_by, table.note)
    query = select(
        table.name, table.key, table.reason, items, first.label("first_at"), last.label("last_at"), *given_up
    )
    query = query.where(table.dropped_at.is_not(None) if dropped else table.dropped_at.is_(None))
    query = query.group_by(table.name, table.key, table.reason, *given_up).order_by(table.name, first, table.key)
    query = query.limit(limit).offset(offset if limit is not None else None)
    return connection.execute(query.where(table.name.in_(names)) if names else query).all()


def size(connection: Connection, name: str) -> int:
    """How many keys wait in the quarantine `name`."""
    return int(connection.execute(_SIZE, {"b_name": name}).scalar_one())


def _reasons(connection: Connection, name: str, keys: Sequence[str]) -> dict[tuple[str, str], str]:
    """Why each row of these keys is kept, by (key, item)."""
    table = quarantine.c
    found: dict[tuple[str, str], str] = {}
    for start in range(0, len(keys), KEYS_AT_ONCE):
        chunk = keys[start : start + KEYS_AT_ONCE]
        query = select(table.key, table.item, table.reason).where(table.name == name, table.key.in_(chunk))
        found.update({(key, item): reason for key, item, reason in connection.execute(query)})
    return found


def _values(row: Quarantined, now: datetime, run_id: int) -> dict[str, Any]:
    return {"key": row.key, "item": row.item, "reason": row.reason, "last_at": now, "run_id": run_id}


def _parameters(row: Quarantined, now: datetime, run_id: int) -> dict[str, Any]:
    return {f"_{column}": value for column, value in _values(row, now, run_id).items()}


def _renewal(name: str) -> Any:
    table = quarantine.c
    mine = (table.name == name) & (table.key == bindparam("_key")) & (table.item == bindparam("_item"))
    values: dict[str, Any] = {column: bindparam(f"_{column}") for column in ("reason", "last_at", "run_id")}
    return update(quarantine).where(mine).values(values)
