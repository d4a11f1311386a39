"""Cursors: how far each task has read its feed, as a text that the feed understands."""

from datetime import datetime

from sqlalchemy import Connection, bindparam, delete, insert, select, update

from janitor.state.tables import cursors

_POSITION = select(cursors.c.position).where(cursors.c.name == bindparam("name"))
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


def save(connection: Connection, name: str, position: str, now: datetime, run_id: int) -> None:
    """Replace the position, in the caller's fenced transaction; saving the same position twice is harmless."""
    values = {"position": position, "updated_at": now, "run_id": run_id}
    if connection.execute(_CHANGE, {"b_name": name, **values}).rowcount == 0:
        connection.execute(insert(cursors).values(name=name, **values))


def forget(connection: Connection, name: str) -> bool:
    """Delete the saved position, so that the next run begins again; return False if no position was saved."""
    return connection.execute(delete(cursors).where(cursors.c.name == name)).rowcount == 1
