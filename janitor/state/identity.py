"""Identity: which state database this is, and whether it went back to what it was before.

    id           generation   beat    beat_at
    5f3a...      1            4,711   12:00:10      the leader adds 1 to `beat` every few seconds
    5f3a...      1            3,002   03:00:00      a backup of the night: it was restored, and says so
    5f3a...      2            4,712   12:05:00      the restore is noted: what was known up to 12:00:10 is lost

Whoever remembers a higher generation or beat of the same id knows that a backup was restored: see `engine/memos.py`.
"""

import uuid
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, insert, select, update

from janitor.state.tables import identity as table

STATE = "state"
"""The name of the only row."""

_FIRST = (
    insert(table)
    .prefix_with("OR IGNORE", dialect="sqlite")
    .prefix_with("IGNORE", dialect="mysql")
    .prefix_with("IGNORE", dialect="mariadb")
)


@dataclass(frozen=True)
class Identity:
    """The identity of a state database.

    `made_at` is when a daemon made it; None if an earlier release did. After a restore at `restored_at`, what was
    recorded between `lost_since` and `lost_until` is lost; all three are None if it was never restored.
    """

    id: str
    generation: int
    beat: int
    beat_at: datetime
    made_at: datetime | None = None
    restored_at: datetime | None = None
    lost_since: datetime | None = None
    lost_until: datetime | None = None

    @property
    def age(self) -> tuple[int, int]:
        """What only grows: the generation, and the beat in it."""
        return self.generation, self.beat


def load(connection: Connection) -> Identity | None:
    """The identity; None if no daemon has led on this state database yet."""
    row = connection.execute(select(table)).one_or_none()
    if row is None:
        return None
    return Identity(**{name: value for name, value in row._mapping.items() if name != "name"})


def ensure(connection: Connection, now: datetime, made_at: datetime | None = None, id: str | None = None) -> Identity:
    """The identity; a state database that has none gets one, with `id` or an id made by chance.

    `made_at` is when it was made, if a daemon made it.
    """
    if (found := load(connection)) is None:
        new = {
            "name": STATE,
            "id": id or uuid.uuid4().hex,
            "generation": 1,
            "beat": 0,
            "beat_at": now,
            "made_at": made_at,
        }
        connection.execute(_FIRST, new)
        found = load(connection)
        assert found is not None
    return found


def beat(connection: Connection, known: Identity, now: datetime) -> Identity | None:
    """Count one more beat, in the leader's transaction; None if this is not the identity that is `known`."""
    same = (table.c.id == known.id) & (table.c.generation == known.generation) & (table.c.beat == known.beat)
    changed = connection.execute(update(table).where(same).values(beat=known.beat + 1, beat_at=now))
    return load(connection) if changed.rowcount == 1 else None


def restored(
    connection: Connection, known: Identity, newest: tuple[int, int], now: datetime, lost_until: datetime
) -> Identity | None:
    """Note a restore: begin a generation above the `newest` that anybody knows; None if somebody else just did it."""
    same = (table.c.id == known.id) & (table.c.generation == known.generation) & (table.c.beat == known.beat)
    generation, last = max(known.age, newest)
    values = {
        "generation": generation + 1,
        "beat": last + 1,
        "beat_at": now,
        "restored_at": now,
        "lost_since": known.beat_at,
        "lost_until": lost_until,
    }
    changed = connection.execute(update(table).where(same).values(values))
    return load(connection) if changed.rowcount == 1 else None
