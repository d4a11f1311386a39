"""Rows that are started and whose launch was lost: a process died between the claim and the commit of its item.

no item has the row's key                       it is launched
its item is still at work                       nothing
its item has ended, the status is to be told    nothing: the reply does it, or was given up for a reason
its item has ended, the status was told         somebody made the row ready again, and that launch was lost
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence

from sqlalchemy import Connection, select

from janitor.items.inboxes.table_rows import Claimed, Id, Rows
from janitor.memory.access import state_of
from janitor.runs import current_run
from janitor.state.item_plans import lane_of
from janitor.state.item_replies import SENT
from janitor.state.item_states import OPEN
from janitor.state.item_tables import item_replies, items


def status_name(inbox: str) -> str:
    """The name of the reply that writes the final statuses of an inbox's rows."""
    return f"{inbox}-status"


def left_over(rows: Rows, inbox: str, key_of: Callable[[Claimed], str]) -> Iterator[Sequence[Claimed]]:
    """The rows whose launch was lost, in pages; the current run is that of the inbox's job.

    Raises:
        Unavailable, Rejected: the database, or the state database, is away or says no.
        DeadlineExceeded, Cancelled: as the run's `check` does.
    """
    run = current_run()
    state, pipeline = state_of(run), run.job.removesuffix(f".{inbox}")
    for page in rows.started():
        run.check()
        by_key = {key_of(row): row for row in page}
        with state.read() as connection:
            kept = _kept(connection, pipeline, inbox, by_key)
        lost = [row for key, row in by_key.items() if key not in kept]
        # The status may have been told, and written, since the page was read.
        if lost and (now := rows.still_started([row.id for row in lost])):
            yield [row for row in lost if row.id in now]


def _kept(connection: Connection, pipeline: str, inbox: str, by_key: Mapping[str, Claimed]) -> set[str]:
    """The keys whose items are at work, or will be told of."""
    query = select(items.c.id, items.c.key, items.c.state).where(items.c.pipeline == pipeline)
    found = connection.execute(query.where(items.c.key.in_(list(by_key)))).all()
    ended = {row.id: by_key[row.key].id for row in found if row.state != OPEN}
    told = _told(connection, lane_of(pipeline, status_name(inbox)), inbox, ended)
    return {row.key for row in found if row.id not in told}


def _told(connection: Connection, lane: str, inbox: str, rows: Mapping[int, Id]) -> set[int]:
    """Those of some items, each with its row, whose last reply to that row was sent."""
    query = select(item_replies.c.item_id, item_replies.c.state, item_replies.c.content)
    query = query.where(item_replies.c.item_id.in_(list(rows)), item_replies.c.lane == lane).order_by(item_replies.c.id)
    last: dict[int, int] = {}
    for reply in connection.execute(query) if rows else ():
        envelope = json.loads(reply.content).get("envelope") or {}
        if envelope.get("inbox") == inbox and envelope.get("row") == rows[reply.item_id]:
            last[reply.item_id] = reply.state
    return {item for item, state in last.items() if state == SENT}
