"""Dead letters: messages that could not become items, each with its reason, kept for people.

A letter is there until a person drops it: it counts no more then, and is deleted with the others of its age.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from janitor.runs import bounds
from janitor.state.item_counts import OF_INBOXES, Changes
from janitor.state.item_states import FAILED
from janitor.state.item_tables import item_letters
from janitor.state.seeks import along

DEAD = "dead letters"
MASKED = "***"
"""What stands in a message in place of a secret."""


def add(
    connection: Connection,
    pipeline: str,
    inbox: str,
    reason: str,
    message: str,
    size: int,
    key: str | None,
    now: datetime,
) -> None:
    """Keep a message that became no item; `size` is that of all of it, in bytes.

    Whoever calls has taken secrets out of it.
    """
    values = {
        "pipeline": pipeline,
        "inbox": inbox,
        "at": now,
        "key": key,
        "reason": reason,
        "message": message,
        "bytes": size,
    }
    connection.execute(insert(item_letters).values(values))
    count(connection, {pipeline: 1})


def find(connection: Connection, pipeline: str, after: int | None = None, limit: int = 50) -> Sequence[Row[Any]]:
    """The dead letters of a pipeline that nobody has dropped, the newest first.

    `after` is the id of the last of the page before.
    """
    query = along("item_letters_of_pipeline", item_letters, select(item_letters))
    query = query.where(item_letters.c.pipeline == pipeline, item_letters.c.dropped_at.is_(None))
    if after is not None:
        query = query.where(item_letters.c.id < after)
    return connection.execute(query.order_by(item_letters.c.id.desc()).limit(limit)).all()


def one(connection: Connection, letter_id: int) -> Row[Any] | None:
    """A dead letter, dropped or not; None if there is none with this id."""
    return connection.execute(select(item_letters).where(item_letters.c.id == letter_id)).one_or_none()


def is_whole(letter: Row[Any]) -> bool:
    """Whether the message can be taken again: nothing of it was cut, and no secret was taken out."""
    fits = max(letter.bytes, len(letter.message.encode())) < bounds.TRACEBACK
    return fits and MASKED not in letter.message


def drop(connection: Connection, ids: Sequence[int], actor: str, now: datetime) -> int:
    """Let dead letters count no more; how many counted until now."""
    query = select(item_letters.c.id, item_letters.c.pipeline).where(item_letters.c.id.in_(ids))
    rows = connection.execute(query.where(item_letters.c.dropped_at.is_(None)).with_for_update()).all()
    own = item_letters.c.id.in_([row.id for row in rows])
    connection.execute(update(item_letters).where(own).values(dropped_at=now, dropped_by=actor))
    count(connection, Counter(row.pipeline for row in rows), -1)
    return len(rows)


def count(connection: Connection, numbers: dict[str, int], times: int = 1) -> None:
    """Count dead letters, by pipeline, that have come; with `times` -1, that have gone."""
    for pipeline, number in numbers.items():
        changes = Changes(pipeline)
        changes.add(OF_INBOXES, FAILED, DEAD, times * number)
        changes.write(connection)
