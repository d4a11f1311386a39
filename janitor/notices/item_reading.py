"""Reads what the rules of items look at: a few rows from the ends of indexes, however many items there are.

    steps      the last item that ended well, and the last that did not    of each step, in one statement
               if the latter came later: the items that failed since       as many as the pipeline's limit
    inboxes    the newest dead letter of a pipeline                        if it came within a day: 1,000 at most
    replies    those that are put off for longest, those given up last     20 and 100 of each way of replying

A try that failed is a row as well, while it waits for the next try. So nothing is read of the attempts but the newest
of one item, and recording an attempt costs nothing more for all of this.
"""

import functools
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, Select, bindparam, func, literal, select, union_all

from janitor.notices.item_facts import Failure, Letters, Streak, Undelivered
from janitor.state.item_replies import DUE, GIVEN_UP
from janitor.state.item_states import DONE, EXPIRED, FAILED, LATER
from janitor.state.item_tables import item_attempts, item_letters, item_replies, item_steps, items
from janitor.state.seeks import along

TOGETHER = 50
"""One statement asks for so many steps."""
MOST = 1_000
"""So many rows are read at most where others lie between those that are sought."""
MOST_LATER = 100
MOST_ATTEMPTS = 50
MOST_FAILING = 20
MOST_GIVEN_UP = 100
SEVERAL = 5
"""A reply that was tried so often does not arrive; at first the tries follow within seconds."""
PATIENCE = timedelta(minutes=5)
DAY = timedelta(days=1)
EPOCH = datetime.fromisoformat("1970-01-01T00:00:00+00:00")
CUT = 300
"""So many characters of a reason are told."""


def streaks(connection: Connection, most: Mapping[str, int]) -> dict[str, Streak]:
    """The items in a row at which steps failed, by lane; `most` says for each lane up to how many are counted."""
    lanes, found = list(most), dict[str, Streak]()
    for at in range(0, len(lanes), TOGETHER):
        ends: dict[str, dict[int, datetime]] = {lane: {} for lane in lanes[at : at + TOGETHER]}
        for row in connection.execute(_last_ends(tuple(ends))):
            ends[row.lane][row.state] = row.sort_at
        for lane, of_lane in ends.items():
            succeeded_at = of_lane.get(DONE)
            after = succeeded_at or EPOCH
            # What is to be tried later was not sorted by when it failed.
            fails = of_lane.get(FAILED, EPOCH) > after or LATER in of_lane
            found[lane] = _streak(connection, lane, succeeded_at, most[lane]) if fails else Streak(0, succeeded_at)
    return found


# SQLAlchemy takes longer to make a statement than a server to answer it.
@functools.lru_cache(maxsize=64)
def _last_ends(lanes: Sequence[str]) -> Any:
    queries = [
        _newest(lane, state, literal(lane).label("lane"), item_steps.c.state, item_steps.c.sort_at).limit(1)
        for lane in lanes
        for state in (DONE, FAILED, LATER)
    ]
    # A limit within a UNION needs a query around it, on SQLite.
    return union_all(*(select(query.subquery(f"of_{number}")) for number, query in enumerate(queries)))


def _newest(lane: str, state: int, *columns: Any) -> Select[Any]:
    """The rows of a step in a state that came to it last; of those to be tried later, the ones that are so last."""
    query = along("item_steps_due", item_steps, select(*columns))
    query = query.where(item_steps.c.lane == lane, item_steps.c.state == state, item_steps.c.rank == 0)
    return query.order_by(item_steps.c.rank.desc(), item_steps.c.sort_at.desc(), item_steps.c.item_id.desc())


def _streak(connection: Connection, lane: str, succeeded_at: datetime | None, most: int) -> Streak:
    after, columns = succeeded_at or EPOCH, (item_steps.c.item_id, item_steps.c.step, item_steps.c.since_at)
    failed = _newest(lane, FAILED, *columns, item_steps.c.status).where(item_steps.c.sort_at > after)
    rows: Sequence[Row[Any]] = connection.execute(failed.limit(most)).all()
    if len(rows) == most and any(row.status == EXPIRED for row in rows):
        rows = connection.execute(failed.limit(max(most, MOST))).all()
    # An item that was past its time failed at no step.
    ended = [row for row in rows if row.status != EXPIRED]
    tried = (item_steps.c.tries + item_steps.c.deaths).label("tried")
    waiting = connection.execute(_newest(lane, LATER, *columns, tried).limit(max(most, MOST_LATER))).all()
    found = [*ended, *(row for row in waiting if row.tried and row.since_at > after)]
    if not found:
        return Streak(0, succeeded_at)
    newest = max(found, key=lambda row: row.since_at)
    return Streak(min(len(found), most), succeeded_at, _failure(connection, newest.item_id, newest.step))


def _failure(connection: Connection, item_id: int, step: str) -> Failure:
    """The last try of a step on an item; its parts are empty if the item is gone meanwhile."""
    key = connection.execute(select(items.c.key).where(items.c.id == item_id)).scalar_one_or_none() or ""
    reason = func.substr(item_attempts.c.reason, 1, CUT).label("reason")
    query = select(item_attempts.c.step, item_attempts.c.status, item_attempts.c.run_id, reason)
    query = along("item_attempts_of_item", item_attempts, query).where(item_attempts.c.item_id == item_id)
    rows = connection.execute(query.order_by(item_attempts.c.id.desc()).limit(MOST_ATTEMPTS)).all()
    own = next((row for row in rows if row.step == step), None)
    return Failure(key, "", None) if own is None else Failure(key, own.reason or own.status, own.run_id)


def letters(connection: Connection, pipelines: Collection[str], now: datetime) -> dict[tuple[str, str], Letters]:
    """The dead letters of the last day that nobody has dropped, by pipeline and inbox; 1,000 of a pipeline at most."""
    found: dict[tuple[str, str], Letters] = {}
    for pipeline in pipelines:
        query: Select[Any] = select(item_letters.c.id, item_letters.c.inbox, item_letters.c.at)
        query = along("item_letters_of_pipeline", item_letters, query)
        query = query.where(item_letters.c.pipeline == pipeline, item_letters.c.dropped_at.is_(None))
        query = query.order_by(item_letters.c.id.desc())
        newest = connection.execute(query.limit(1)).one_or_none()
        if newest is not None and newest.at > now - DAY:
            rows = [row for row in connection.execute(query.limit(MOST)) if row.at > now - DAY]
            for inbox in {row.inbox for row in rows}:
                found[pipeline, inbox] = _letters(connection, [row for row in rows if row.inbox == inbox])
    return found


def _letters(connection: Connection, rows: Sequence[Row[Any]]) -> Letters:
    reason = select(func.substr(item_letters.c.reason, 1, CUT)).where(item_letters.c.id == rows[0].id)
    return Letters(len(rows), rows[0].at, connection.execute(reason).scalar_one_or_none() or "")


_REPLY = (
    item_replies.c.id,
    item_replies.c.state,
    item_replies.c.key,
    item_replies.c.tries,
    item_replies.c.added_at,
    item_replies.c.ended_at,
    func.substr(item_replies.c.reason, 1, CUT).label("reason"),
)
_LANE = along("item_replies_due", item_replies, select(*_REPLY)).where(item_replies.c.lane == bindparam("b_lane"))
_PUT_OFF = _LANE.where(item_replies.c.state == DUE).order_by(item_replies.c.due_at.desc()).limit(MOST_FAILING)
_GIVEN_UP = _LANE.where(item_replies.c.state == GIVEN_UP).order_by(item_replies.c.due_at.desc()).limit(MOST_GIVEN_UP)
# Without the state: SQLite would rather look through all that wait.
_KNOWN = select(*_REPLY).where(item_replies.c.id.in_(bindparam("ids", expanding=True)))


def undelivered(connection: Connection, lane: str, now: datetime, known: Sequence[int] = ()) -> Undelivered:
    """The replies of a way of replying that were tried several times over five minutes, or given up within a day.

    `known` are the `failing` of the look before. They are looked at again: a reply whose next try is overdue lies among
    those that were never tried.
    """
    rows = {row.id: row for row in connection.execute(_PUT_OFF, {"b_lane": lane})}
    if known:
        rows |= {row.id: row for row in connection.execute(_KNOWN, {"ids": list(known)}) if row.state == DUE}
    failing = [row for row in rows.values() if row.tries >= SEVERAL and row.added_at <= now - PATIENCE]
    given_up = [row for row in connection.execute(_GIVEN_UP, {"b_lane": lane}) if _is_within(row.ended_at, now)]
    if not failing and not given_up:
        return Undelivered()
    one = max(given_up, key=lambda row: row.ended_at) if given_up else max(failing, key=lambda row: row.tries)
    ids = tuple(sorted(row.id for row in failing)[:MOST_FAILING])
    return Undelivered(ids, len(given_up), one.key, one.reason or "", one.tries, one.added_at)


def _is_within(moment: datetime | None, now: datetime) -> bool:
    return moment is not None and moment > now - DAY
