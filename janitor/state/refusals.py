"""Refusals: what a broker has refused, how often, and when it is to be tried again.

    name       item   key          attempts   next_at
    my_task    41     sample DN7   1          at once      the next run tries again
    my_task    41     sample DN8   3          12:40        runs before 12:40 hold it back
    my_task    42     sample DN7   9          never        a person gave it up

Item and key are those of the quarantine. A refusal comes before a row in quarantine, and stays beside it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone

from sqlalchemy import Connection, bindparam, delete, insert, select, update

from janitor.jobs.schedules import EPOCH
from janitor.state.pieces import in_pieces
from janitor.state.tables import quarantine, refusals

RUNS = 5
"""After how many runs that were refused something goes to quarantine."""

NEVER = datetime(9999, 1, 1, tzinfo=timezone.utc)

KeyAndItem = tuple[str, str]
"""By what a refused row is known, as in the quarantine."""

_TABLE = refusals.c
_ANY = select(_TABLE.key).where(_TABLE.name == bindparam("name")).limit(1)
_OF_ITEMS = select(refusals).where(
    _TABLE.name == bindparam("name"), _TABLE.item.in_(bindparam("items", expanding=True))
)


@dataclass(frozen=True)
class Refusal:
    """How often something was refused, why the last time, and when it is to be tried again."""

    reason: str
    attempts: int
    next_at: datetime


def of_items(connection: Connection, name: str, items: Sequence[str]) -> dict[KeyAndItem, Refusal]:
    """What was refused under these items, by (key, item)."""
    found = dict[KeyAndItem, Refusal]()
    for piece in in_pieces(connection, items):
        rows = connection.execute(_OF_ITEMS, {"name": name, "items": piece})
        found.update(((row.key, row.item), Refusal(row.reason, row.attempts, row.next_at)) for row in rows)
    return found


def is_empty(connection: Connection, name: str) -> bool:
    """Tell whether nothing of `name` was refused."""
    return connection.execute(_ANY, {"name": name}).scalar() is None


def put(connection: Connection, name: str, refused: Mapping[KeyAndItem, Refusal]) -> None:
    """Keep refusals, each in place of the one before, in the caller's fenced transaction."""
    remove(connection, name, refused)
    rows = [
        {
            "name": name,
            "key": key,
            "item": item,
            "reason": one.reason,
            "attempts": one.attempts,
            "next_at": one.next_at,
        }
        for (key, item), one in refused.items()
    ]
    if rows:
        connection.execute(insert(refusals), rows)


def remove(connection: Connection, name: str, gone: Iterable[KeyAndItem]) -> None:
    """Forget refusals; doing it twice is harmless."""
    rows = [{"_key": key, "_item": item} for key, item in gone]
    mine = (_TABLE.name == name) & (_TABLE.key == bindparam("_key")) & (_TABLE.item == bindparam("_item"))
    if rows:
        connection.execute(delete(refusals).where(mine), rows)


def try_now(connection: Connection, name: str, key: str | None = None) -> int:
    """Let the next run try what was refused under a key again, or all if `key` is None; return how many they are."""
    mine = (_TABLE.name == name) & (True if key is None else _TABLE.key == key)
    return connection.execute(update(refusals).where(mine).values(next_at=EPOCH)).rowcount


def give_up(connection: Connection, name: str, key: str) -> None:
    """Let no run try again what was refused under a key and given up in quarantine, until a person wants it.

    What does not wait in quarantine is tried again: a run is not over before each message is published, or waits there.
    """
    kept = quarantine.c
    dropped = select(kept.item).where(kept.name == name, kept.key == key, kept.dropped_at.is_not(None))
    waits = (_TABLE.attempts >= RUNS) & _TABLE.item.in_(dropped)
    connection.execute(update(refusals).where(_TABLE.name == name, _TABLE.key == key, waits).values(next_at=NEVER))
