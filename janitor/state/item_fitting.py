"""Fitting open items to a plan that has changed: new steps are added, steps that are gone are taken away.

Items that have ended stay as they are: `reprocess` gives them the new steps.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, Row, delete, insert, select

from janitor.state import item_plans
from janitor.state.item_changes import Changed, Steps, change
from janitor.state.item_counts import Changes
from janitor.state.item_plans import Plan
from janitor.state.item_states import NOT_PROCESSED, OPEN, PROCESSING, WAITING
from janitor.state.item_tables import item_steps, items

TOGETHER = 200


def fit(connection: Connection, plan: Plan, after: int, now: datetime) -> tuple[int | None, Changed]:
    """Fit the next few open items after an id; the last of them, None if there are no more, and what has changed.

    After the last it is noted that all are fitted.
    """
    query = select(items).where(items.c.pipeline == plan.pipeline, items.c.state == OPEN, items.c.id > after)
    rows = connection.execute(query.order_by(items.c.id).limit(TOGETHER)).all()
    if not rows:
        item_plans.note_fitted(connection, plan)
        return None, Changed()
    ids = [row.id for row in rows]
    changes = Changes(plan.pipeline)
    known = _known(connection, ids)
    _take_away(connection, plan, ids, changes)
    _add_missing(connection, plan, rows, known, now, changes)

    def edit(item_id: int, found: Steps) -> bool:
        return True

    changed = change(connection, plan, ids, edit, now, changes)
    changes.write(connection)
    return ids[-1], changed


def _known(connection: Connection, ids: Sequence[int]) -> set[tuple[int, str]]:
    query = select(item_steps.c.item_id, item_steps.c.step).where(item_steps.c.item_id.in_(ids))
    return {(row.item_id, row.step) for row in connection.execute(query)}


def _take_away(connection: Connection, plan: Plan, ids: Sequence[int], changes: Changes) -> None:
    names = [step.name for step in plan.steps]
    gone = item_steps.c.item_id.in_(ids) & item_steps.c.step.not_in(names) & (item_steps.c.state != PROCESSING)
    for row in connection.execute(select(item_steps).where(gone)):
        changes.add(row.step, row.state, row.status, -1)
    connection.execute(delete(item_steps).where(gone))


def _add_missing(
    connection: Connection,
    plan: Plan,
    rows: Sequence[Row[tuple[object, ...]]],
    known: set[tuple[int, str]],
    now: datetime,
    changes: Changes,
) -> None:
    made = [
        {
            "item_id": row.id,
            "step": step.name,
            "lane": plan.lane(step.name),
            "state": WAITING,
            "rank": -row.priority,
            "sort_at": row.order_at,
            "status": NOT_PROCESSED,
            "since_at": now,
            "tries": 0,
            "deaths": 0,
            "claims": 0,
        }
        for row in rows
        for step in plan.steps
        if (row.id, step.name) not in known
    ]
    if made:
        connection.execute(insert(item_steps), made)
    for one in made:
        changes.add(str(one["step"]), WAITING, NOT_PROCESSED)
