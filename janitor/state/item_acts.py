"""What people, or adding a key again, do to items: steps go back, and those behind them follow.

    retry       steps that failed can be taken again, with all their tries
    reset       one step, and all behind it, as if they had never been taken
    reprocess   all steps
    drop        the items are deleted

A run may have taken a step meanwhile. What it brings is dropped then: its claim is not the newest any more.
"""

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import Connection, delete, update

from janitor.state.item_changes import Changed, Edit, Steps, change, lock, steps_of
from janitor.state.item_counts import OF_ITEMS, Changes
from janitor.state.item_fitting import give_steps
from janitor.state.item_plans import Plan
from janitor.state.item_states import FAILED, LATER, NOT_BEGUN, OPEN, name_of_item
from janitor.state.item_tables import item_attempts, item_replies, item_results, item_steps, items

TOGETHER = 100
"""One statement names so many ids: a server may look for each of more in the whole table."""


def retry(
    connection: Connection, plan: Plan, ids: Sequence[int], now: datetime, steps: Collection[str] | None = None
) -> Changed:
    """Let steps that failed, or wait for another try, be taken now; all of an item's if `steps` is None."""

    def wanted(found: Steps) -> list[str]:
        return [
            name
            for name, row in found.items()
            if row.state in (FAILED, LATER) and (steps is None or name in steps) and plan.has(name)
        ]

    def edit(item_id: int, found: Steps) -> bool:
        again = wanted(found)
        found.update({name: found[name].not_begun() for name in again})
        return bool(again)

    # An item that had ended has the steps of the plan of then.
    rows, names = lock(connection, sorted(ids)), {step.name for step in plan.steps}
    known = steps_of(connection, [row.id for row in rows.values() if row.state != OPEN])
    if unfit := [item_id for item_id, found in known.items() if found.keys() != names and wanted(found)]:
        _fit(connection, plan, unfit, now)
    return _write(connection, plan, ids, edit, now)


def reset(connection: Connection, plan: Plan, ids: Sequence[int], step: str, now: datetime) -> Changed:
    """Let one step, and all behind it, be done again; what they left is deleted."""
    _begin_anew(connection, ids)
    return _reset(connection, plan, ids, behind(plan, step), now)


def reprocess(connection: Connection, plan: Plan, ids: Sequence[int], now: datetime) -> Changed:
    """Let all steps be done again; what they left is deleted."""
    _begin_anew(connection, ids)
    return _reset(connection, plan, ids, [step.name for step in plan.steps], now)


def _reset(connection: Connection, plan: Plan, ids: Sequence[int], steps: Sequence[str], now: datetime) -> Changed:
    def edit(item_id: int, found: Steps) -> bool:
        found.update({name: found[name].not_begun() for name in steps if name in found})
        return True

    _fit(connection, plan, ids, now)
    changed = _write(connection, plan, ids, edit, now)
    gone = item_results.c.item_id.in_(ids) & item_results.c.step.in_(steps)
    connection.execute(delete(item_results).where(gone))
    return changed


def _begin_anew(connection: Connection, ids: Sequence[int]) -> None:
    connection.execute(update(items).where(items.c.id.in_(ids)).values(times=items.c.times + 1))


def _fit(connection: Connection, plan: Plan, ids: Sequence[int], now: datetime) -> None:
    """Give items the steps of the plan as it is."""
    changes = Changes(plan.pipeline)
    give_steps(connection, plan, ids, now, changes)
    changes.write(connection)


def _write(connection: Connection, plan: Plan, ids: Sequence[int], edit: Edit, now: datetime) -> Changed:
    changes = Changes(plan.pipeline)
    changed = change(connection, plan, ids, edit, now, changes)
    changes.write(connection)
    return changed


def behind(plan: Plan, step: str) -> list[str]:
    """A step, and all that need it, directly or by others; in the order of the plan."""
    found = [step]
    for one in plan.steps:
        if one.name != step and any(name in found for name in one.needs):
            found.append(one.name)
    return found


def drop(connection: Connection, plan: Plan, ids: Sequence[int]) -> int:
    """Delete items, with all that is kept of them; how many. What runs bring of them later is dropped."""
    found = lock(connection, sorted(ids))
    rows = steps_of(connection, list(found))
    changes = Changes(plan.pipeline)
    for item_id, item in found.items():
        changes.add(OF_ITEMS, item.state, name_of_item(item.state), -1)
        for name, row in rows.get(item_id, {}).items():
            changes.add(name, row.state, row.status, -1)
    gone = list(found)
    for at in range(0, len(gone), TOGETHER):
        some = gone[at : at + TOGETHER]
        for table in (item_steps, item_results, item_attempts):
            connection.execute(delete(table).where(table.c.item_id.in_(some)))
        connection.execute(update(item_replies).where(item_replies.c.item_id.in_(some)).values(item_id=None))
        connection.execute(delete(items).where(items.c.id.in_(some)))
    changes.write(connection)
    return len(found)


def reorder(connection: Connection, item_id: int, rank: int, order_at: datetime) -> None:
    """Let an item's steps that have not begun be taken in another order."""
    own = (item_steps.c.item_id == item_id) & item_steps.c.state.in_(NOT_BEGUN)
    connection.execute(update(item_steps).where(own).values(rank=rank, sort_at=order_at))


def flag(connection: Connection, item_id: int, note: str, actor: str, now: datetime) -> bool:
    """Mark an item for people, with a note; False if there is no such item."""
    values = {
        "flag": note,
        "flagged_at": now,
        "flagged_by": actor,
        "resolution": None,
        "resolved_at": None,
        "resolved_by": None,
    }
    return connection.execute(update(items).where(items.c.id == item_id).values(values)).rowcount == 1


def resolve(connection: Connection, item_id: int, note: str, actor: str, now: datetime) -> bool:
    """Note what became of a flag; False if the item has none that is open."""
    open_flag = (items.c.id == item_id) & items.c.flag.is_not(None) & items.c.resolved_at.is_(None)
    values = {"resolution": note, "resolved_at": now, "resolved_by": actor}
    return connection.execute(update(items).where(open_flag).values(values)).rowcount == 1
