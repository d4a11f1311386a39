"""Fitting open items to a plan that has changed: new steps are added, steps that are gone are taken away.

Items that have ended stay as they are: `reprocess` gives them the new steps.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import Connection, delete, insert, select

from janitor.state.item_changes import Changed, ItemRow, Steps, change, lock, steps_of
from janitor.state.item_counts import Changes
from janitor.state.item_plans import Plan
from janitor.state.item_states import NOT_PROCESSED, OPEN, WAITING
from janitor.state.item_tables import item_steps, items
from janitor.state.seeks import along

TOGETHER = 200


def fit(connection: Connection, plan: Plan, after: int, now: datetime) -> tuple[int | None, Changed]:
    """Fit the next few open items after an id; the last of them, None if there are no more, and what has changed.

    That all are fitted is to be noted by the caller: what was under way by the plan before may not be fitted yet.
    """
    # An open item has no end; to say so lets the index give them in the order of their ids.
    query = along("items_by_state", items, select(items.c.id)).where(items.c.id > after)
    query = query.where(items.c.pipeline == plan.pipeline, items.c.state == OPEN, items.c.ended_at.is_(None))
    ids = connection.execute(query.order_by(items.c.id).limit(TOGETHER)).scalars().all()
    if not ids:
        return None, Changed()
    changes = Changes(plan.pipeline)
    give_steps(connection, plan, ids, now, changes)

    def edit(item_id: int, found: Steps) -> bool:
        return True

    changed = change(connection, plan, ids, edit, now, changes)
    changes.write(connection)
    return ids[-1], changed


def give_steps(connection: Connection, plan: Plan, ids: Sequence[int], now: datetime, changes: Changes) -> None:
    """Give items the steps of a plan, and take all others away; the caller lets `change` find what follows."""
    rows = lock(connection, sorted(ids))
    known = steps_of(connection, list(rows))
    _take_away(connection, plan, known, changes)
    _add_missing(connection, plan, list(rows.values()), known, now, changes)


def _take_away(connection: Connection, plan: Plan, known: Mapping[int, Steps], changes: Changes) -> None:
    """Take steps away that are gone, also if a run has them: nobody would ever give them back."""
    names = [step.name for step in plan.steps]
    for steps in known.values():
        for name, row in steps.items():
            if name not in names:
                changes.add(name, row.state, row.status, -1)
    gone = item_steps.c.item_id.in_(list(known)) & item_steps.c.step.not_in(names)
    connection.execute(delete(item_steps).where(gone))


def _add_missing(
    connection: Connection,
    plan: Plan,
    rows: Sequence[ItemRow],
    known: Mapping[int, Steps],
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
            "run_id": 0,
        }
        for row in rows
        for step in plan.steps
        if step.name not in known.get(row.id, {})
    ]
    if made:
        connection.execute(insert(item_steps), made)
    for one in made:
        changes.add(str(one["step"]), WAITING, NOT_PROCESSED)
