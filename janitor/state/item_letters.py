"""Dead letters: messages that could not become items, each with its reason, kept for people."""

from datetime import datetime

from sqlalchemy import Connection, insert

from janitor.state.item_counts import OF_INBOXES, Changes
from janitor.state.item_states import FAILED
from janitor.state.item_tables import item_letters

DEAD = "dead letters"


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
    """Keep a message that became no item; whoever calls has taken secrets out of it."""
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
    changes = Changes(pipeline)
    changes.add(OF_INBOXES, FAILED, DEAD)
    changes.write(connection)
