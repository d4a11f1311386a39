"""Cursors: how far each task has read its feed, as a text that the feed understands."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, bindparam, delete, insert, select, update

from janitor.state.tables import cursors, identity

_OF_NAME = cursors.c.name == bindparam("name")
_POSITION = select(cursors.c.position).where(_OF_NAME)
_RESTORE = [
    select(identity.c[name]).scalar_subquery().label(name) for name in ("restored_at", "lost_since", "lost_until")
]
_SAVED = select(cursors.c.position, cursors.c.updated_at, *_RESTORE).where(_OF_NAME)
_CHANGE = (
    update(cursors)
    .where(cursors.c.name == bindparam("b_name"))
    .values({name: bindparam(name) for name in ("position", "updated_at", "run_id")})
)


def load(connection: Connection, name: str) -> str | None:
    """The position saved under `name`; None if no position was saved."""
    return connection.execute(_POSITION, {"name": name}).scalar()


def saved_by(connection: Connection, name: str) -> int:
    """The id of the run that saved the position; 0 if a person did, or if no position was saved."""
    return connection.execute(select(cursors.c.run_id).where(cursors.c.name == name)).scalar() or 0


@dataclass(frozen=True)
class Saved:
    """A saved position. `lost_until` is there if it comes from a backup: what was done until then is not known."""

    position: str
    saved_at: datetime
    lost_until: datetime | None


def saved(connection: Connection, name: str) -> Saved | None:
    """The position saved under `name`, and whether a backup brought it back; None if no position was saved."""
    row = connection.execute(_SAVED, {"name": name}).one_or_none()
    if row is None:
        return None
    is_of_backup = row.restored_at is not None and row.updated_at < row.restored_at and row.lost_since < row.lost_until
    return Saved(row.position, row.updated_at, row.lost_until if is_of_backup else None)


def save(connection: Connection, name: str, position: str, now: datetime, run_id: int) -> None:
    """Replace the position, in the caller's fenced transaction; saving the same position twice is harmless."""
    values = {"position": position, "updated_at": now, "run_id": run_id}
    if connection.execute(_CHANGE, {"b_name": name, **values}).rowcount == 0:
        connection.execute(insert(cursors).values(name=name, **values))


def forget(connection: Connection, name: str) -> bool:
    """Delete the saved position, so that the next run begins again; return False if no position was saved."""
    return connection.execute(delete(cursors).where(cursors.c.name == name)).rowcount == 1
