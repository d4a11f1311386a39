"""Dead letters: messages that could not become items."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, select

from janitor.state import item_counts, item_letters
from janitor.state.item_counts import OF_INBOXES
from janitor.state.item_letters import DEAD
from janitor.state.item_states import FAILED
from janitor.state.item_tables import item_letters as letters
from janitor.web.queries import models, records

CUT = 2_000
"""So many characters of a message are shown in a list."""


def letter_list(connection: Connection, pipeline: str, limit: int, after: int | None = None) -> models.LetterList:
    """A page of a pipeline's dead letters, the newest first; `after` is the id of the last of the page before."""
    rows = item_letters.find(connection, pipeline, after, limit + 1)
    counts = item_counts.read(connection, pipeline)
    dead = (OF_INBOXES, FAILED, DEAD)
    lines = [letter_line(row) for row in rows[:limit]]
    return models.LetterList(
        letters=lines,
        count=sum(one.number for one in counts if (one.step, one.state, one.status) == dead),
        next_after=lines[-1].id if len(rows) > limit else None,
    )


def letter_line(row: Row[Any]) -> models.LetterLine:
    """A row of the table `item_letters`."""
    cut = row.message if len(row.message) <= CUT else f"{row.message[:CUT]} …"
    fields = records.fields_of(row, models.LetterLine, "message", "is_whole")
    return models.LetterLine(**fields, message=cut, is_whole=item_letters.is_whole(row))


def letter_of(connection: Connection, pipeline: str, letter_id: int) -> models.LetterLine | None:
    """A pipeline's dead letter; None if there is none with this id, or if it was dropped."""
    row = item_letters.one(connection, letter_id)
    return letter_line(row) if row is not None and row.pipeline == pipeline and row.dropped_at is None else None


def letters_of(connection: Connection, pipeline: str, ids: Sequence[int]) -> list[int]:
    """Those of some letters that are a pipeline's."""
    query = select(letters.c.id).where(letters.c.pipeline == pipeline, letters.c.id.in_(ids))
    return list(connection.execute(query.order_by(letters.c.id)).scalars())
