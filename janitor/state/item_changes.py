"""One change to the steps of some items: what it does to one step may make others ready, and end the item.

1. the items' rows are locked, in the order of their ids: two steps of one item may end at the same moment
   the steps' rows, too, if one that can be taken may be changed: whoever takes it locks nothing else
2. their steps are read, and changed in memory
3. what follows from the needs of each step is found, by `settled`
4. what differs is written: a statement for all items that change in the same way
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, bindparam, select, update

from janitor.state import item_replies
from janitor.state.item_counts import OF_ITEMS, Changes
from janitor.state.item_plans import Plan
from janitor.state.item_states import (
    LATER,
    NOT_BEGUN,
    NOT_PROCESSED,
    OPEN,
    READY,
    Standing,
    name_of_item,
    of_item,
    settled,
)
from janitor.state.item_tables import item_steps, items

_IDS: Any = bindparam("ids", expanding=True)
_ITEMS = (
    select(items.c.id, items.c.key, items.c.state, items.c.priority, items.c.order_at)
    .where(items.c.id.in_(_IDS))
    .order_by(items.c.id)
    .with_for_update()
)
_STEPS = select(
    item_steps.c.item_id,
    item_steps.c.step,
    item_steps.c.state,
    item_steps.c.status,
    item_steps.c.tries,
    item_steps.c.deaths,
    item_steps.c.claims,
    item_steps.c.run_id,
).where(item_steps.c.item_id.in_(_IDS))
_STEPS_LOCKED = _STEPS.with_for_update()
_PUT = {
    with_order: update(item_steps)
    .where(item_steps.c.step == bindparam("b_step"), item_steps.c.item_id.in_(_IDS))
    .values(
        {name: bindparam(f"b_{name}") for name in ("state", "status", "since_at", "tries", "deaths")}
        | {"run_id": None}
        | (
            {
                "rank": select(-items.c.priority).where(items.c.id == item_steps.c.item_id).scalar_subquery(),
                "sort_at": select(items.c.order_at).where(items.c.id == item_steps.c.item_id).scalar_subquery(),
            }
            if with_order
            else {"rank": 0, "sort_at": bindparam("b_sort_at")}
        )
    )
    for with_order in (True, False)
}
_PUT_STATE = (
    update(item_steps)
    .where(item_steps.c.step == bindparam("b_step"), item_steps.c.item_id.in_(_IDS))
    .values(state=bindparam("b_state"), since_at=bindparam("b_since_at"))
)
_OPEN_ITEMS = update(items).where(items.c.id.in_(_IDS)).values(state=OPEN, ended_at=None)
# A secret is there for the steps alone: it goes with the end.
_END_ITEMS = (
    update(items)
    .where(items.c.id.in_(_IDS))
    .values(state=bindparam("b_state"), ended_at=bindparam("b_ended_at"), secrets=None)
)


@dataclass(frozen=True)
class First:
    """The row that comes first of those that a change made ready in a lane: whoever waits looks there again."""

    lane: str
    rank: int
    sort_at: datetime


@dataclass(frozen=True)
class StepRow:
    """A row of `item_steps`, as far as changes go; `until` is when it can be taken, in the state LATER."""

    state: int
    status: str
    tries: int
    deaths: int
    claims: int
    until: datetime | None = None

    def not_begun(self) -> "StepRow":
        """The row of a step that was never taken."""
        return replace(self, state=READY, status=NOT_PROCESSED, tries=0, deaths=0, until=None)


Steps = dict[str, StepRow]
Edit = Callable[[int, Steps], bool]
"""Changes the steps of an item in place; False if it leaves the item as it is."""


@dataclass
class Changed:
    """What a change came to: the items it ended, and what it made ready."""

    ended: list[int] = field(default_factory=list)
    ready: list[First] = field(default_factory=list)
    touched: int = 0


def change(
    connection: Connection,
    plan: Plan,
    ids: Iterable[int],
    edit: Edit,
    now: datetime,
    changes: Changes,
    alone: bool = False,
) -> Changed:
    """Change the steps of items, in the transaction of the caller.

    `edit` gets an item's id and its steps, and replaces what it changes; False leaves the item as it is. Items that are
    gone are passed over. `alone` lets nobody take a step of these items meanwhile.
    """
    wanted = sorted(set(ids))
    found, done = lock(connection, wanted), Changed()
    before = steps_of(connection, list(found), alone)
    moves = _Moves(plan, now, changes)
    for item_id, row in found.items():
        old = before.get(item_id, {})
        new = dict(old)
        if not edit(item_id, new):
            continue
        done.touched += 1
        states = settled(plan, {name: Standing(one.state, one.status) for name, one in new.items()})
        for name, one in new.items():
            moves.add(row, name, old[name], replace(one, state=states.get(name, one.state)))
        moves.add_item(row, of_item([states.get(name, one.state) for name, one in new.items()]))
    moves.write(connection)
    done.ended, done.ready = moves.ended, moves.ready()
    item_replies.of_ended(connection, plan, done.ended, now)
    return done


def lock(connection: Connection, ids: Sequence[int]) -> dict[int, Row[Any]]:
    """The rows of items, locked until the transaction ends."""
    rows: Sequence[Any] = connection.execute(_ITEMS, {"ids": ids}).all() if ids else ()
    return {row.id: row for row in rows}


def steps_of(connection: Connection, ids: Sequence[int], lock_them: bool = False) -> dict[int, Steps]:
    """The steps of items; nobody can take or change them until the transaction ends, if they are locked."""
    found: dict[int, Steps] = defaultdict(dict)
    if ids:
        for row in connection.execute(_STEPS_LOCKED if lock_them else _STEPS, {"ids": ids}):
            found[row.item_id][row.step] = StepRow(row.state, row.status, row.tries, row.deaths, row.claims)
    return found


class _Moves:
    """Gathers what changes, so that all items that change in the same way need one statement."""

    def __init__(self, plan: Plan, now: datetime, changes: Changes) -> None:
        self._plan, self._now, self._changes = plan, now, changes
        self._rows: dict[tuple[str, StepRow], list[int]] = defaultdict(list)
        self._states: dict[tuple[str, int], list[int]] = defaultdict(list)
        self._items: dict[int, list[int]] = defaultdict(list)
        self._firsts: dict[str, tuple[int, datetime]] = {}
        self.ended: list[int] = []

    def add(self, item: Row[Any], step: str, old: StepRow, new: StepRow) -> None:
        """Take one step's new row."""
        if old == new:
            return
        self._changes.move(step, (old.state, old.status), (new.state, new.status))
        if old.state in NOT_BEGUN and replace(old, state=new.state) == new:
            self._states[step, new.state].append(item.id)
        else:
            # `claims` stays as it is in the row, so rows that differ in it alone go together.
            self._rows[step, replace(new, claims=0)].append(item.id)
        if new.state in (READY, LATER):
            first = (-item.priority, item.order_at)
            lane = self._plan.lane(step)
            self._firsts[lane] = min(self._firsts.get(lane, first), first)

    def add_item(self, item: Row[Any], state: int) -> None:
        """Take an item's new state; one that goes on has no end."""
        if item.state == state:
            return
        self._changes.move(OF_ITEMS, (item.state, name_of_item(item.state)), (state, name_of_item(state)))
        self._items[state].append(item.id)
        if item.state == OPEN:
            self.ended.append(item.id)

    def ready(self) -> list[First]:
        """What comes first in each lane where something was made ready."""
        return [First(lane, *first) for lane, first in self._firsts.items()]

    def write(self, connection: Connection) -> None:
        """Write what has changed."""
        for (step, state), ids in self._states.items():
            connection.execute(_PUT_STATE, {"b_step": step, "ids": ids, "b_state": state, "b_since_at": self._now})
        for (step, row), ids in self._rows.items():
            in_order = row.state in NOT_BEGUN
            values = {
                "b_step": step,
                "ids": ids,
                "b_state": row.state,
                "b_status": row.status,
                "b_since_at": self._now,
                "b_tries": row.tries,
                "b_deaths": row.deaths,
                **({} if in_order else {"b_sort_at": row.until or self._now}),
            }
            connection.execute(_PUT[in_order], values)
        for state, ids in self._items.items():
            if state == OPEN:
                connection.execute(_OPEN_ITEMS, {"ids": ids})
            else:
                connection.execute(_END_ITEMS, {"ids": ids, "b_state": state, "b_ended_at": self._now})
