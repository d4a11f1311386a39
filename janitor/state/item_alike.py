"""Ends that are all alike, of items that have one step: most ends of a queue. They are recorded without being read.

    one count     each item is open, has one step, and that is held by the claim of its end; all is locked then
    two updates   of the items, and of their steps

If one of them is otherwise, all are read, and recorded one by one: see `item_changes.py`.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, and_, bindparam, case, func, select, update

from janitor.databases.direct import Direct, a_list
from janitor.state import item_replies
from janitor.state.item_changes import END_ITEMS, Changed
from janitor.state.item_counts import OF_ITEMS, Changes
from janitor.state.item_plans import Plan
from janitor.state.item_states import IN_PROCESS, OPEN, PROCESSING, name_of_item, of_item
from janitor.state.item_tables import item_steps, items

_IDS = a_list("ids")
_IS_HELD = and_(
    items.c.state == OPEN,
    item_steps.c.step == bindparam("b_step"),
    item_steps.c.state == PROCESSING,
    item_steps.c.claims == bindparam("b_claim"),
)
# As in `item_changes.py`, a LEFT JOIN goes from the items to their steps.
_HELD = Direct(
    select(func.count(), func.count(case((_IS_HELD, 1))))
    .join_from(items, item_steps, item_steps.c.item_id == items.c.id, isouter=True)
    .where(items.c.id.in_(_IDS))
    .with_for_update()
)
_END_STEPS = Direct(
    update(item_steps)
    .where(item_steps.c.step == bindparam("b_step"), item_steps.c.item_id.in_(_IDS))
    .values(
        state=bindparam("b_state"),
        status=bindparam("b_status"),
        since_at=bindparam("b_now"),
        sort_at=bindparam("b_now"),
        tries=item_steps.c.tries + 1,
        rank=0,
        run_id=0,
    )
)


def end(
    connection: Connection,
    plan: Plan,
    step: str,
    ids: Sequence[int],
    claim: int,
    to: tuple[int, str],
    now: datetime,
    changes: Changes,
) -> Changed | None:
    """Let items end with a state and a status, all held by claims of this number; None, and nothing, if one is not."""
    [(rows, held)] = _HELD.rows(connection, {"b_step": step, "b_claim": claim, "ids": ids})
    if not rows == held == len(ids):
        return None
    state, status = to
    after = of_item([state])
    END_ITEMS.run(connection, {"ids": ids, "b_state": after, "b_ended_at": now})
    _END_STEPS.run(connection, {"b_step": step, "ids": ids, "b_state": state, "b_status": status, "b_now": now})
    changes.move(step, (PROCESSING, IN_PROCESS), to, held)
    changes.move(OF_ITEMS, (OPEN, name_of_item(OPEN)), (after, name_of_item(after)), held)
    ended = sorted(ids)
    item_replies.of_ended(connection, plan, ended, now)
    return Changed(ended, touched=held)
