"""One change to the steps of some items: what it does to one step may make others ready, and end the item.

1. the items' rows are locked, in the order of their ids: two steps of one item may end at the same moment
   so are the rows of their steps, which are read by the same statement: whoever takes a step locks nothing else
2. the steps are changed in memory
3. what follows from the needs of each step is found, by `settled`; once for all items that change in the same way
4. what differs is written: a statement for all of these items
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from operator import itemgetter
from typing import Any, NamedTuple

from sqlalchemy import Connection, bindparam, func, literal, select, update

from janitor.databases.direct import Direct, a_list
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
from janitor.state.item_tables import FAR, item_steps, items
from janitor.state.tables import Instant

_IDS = a_list("ids")
_OF_ITEM = [items.c[name] for name in ("id", "state", "priority", "order_at", "ended_at")]
_ITEMS = Direct(
    select(*_OF_ITEM).where(items.c.id.in_(_IDS)).order_by(items.c.id).with_for_update(),
    together=True,
)
_OF_STEP = [item_steps.c[name] for name in ("step", "state", "status", "tries", "deaths", "claims")]
_STEPS = Direct(
    select(item_steps.c.item_id, *_OF_STEP).where(item_steps.c.item_id.in_(_IDS)).with_for_update(), together=True
)
# A LEFT JOIN goes from the items to their steps: so the rows of each are locked in the order of ids.
_BOTH = Direct(
    select(*_OF_ITEM, *_OF_STEP)
    .join_from(items, item_steps, item_steps.c.item_id == items.c.id, isouter=True)
    .where(items.c.id.in_(_IDS))
    .with_for_update(),
    together=True,
)
_PUT_STEPS = update(item_steps).where(item_steps.c.step == bindparam("b_step"), item_steps.c.item_id.in_(_IDS))
_PUT = {
    with_order: Direct(
        _PUT_STEPS.values(
            {name: bindparam(f"b_{name}") for name in ("state", "status", "since_at", "tries", "deaths")}
            | {"run_id": 0}
            | (
                {
                    "rank": select(-items.c.priority).where(items.c.id == item_steps.c.item_id).scalar_subquery(),
                    "sort_at": select(items.c.order_at).where(items.c.id == item_steps.c.item_id).scalar_subquery(),
                }
                if with_order
                else {"rank": 0, "sort_at": bindparam("b_sort_at")}
            )
        )
    )
    for with_order in (True, False)
}
_PUT_STATE = Direct(_PUT_STEPS.values(state=bindparam("b_state"), since_at=bindparam("b_since_at")))
_OPEN_ITEMS = Direct(
    update(items)
    .where(items.c.id.in_(_IDS))
    .values(state=OPEN, ended_at=None, open_until=func.coalesce(items.c.expires_at, literal(FAR, Instant)))
)
# A secret is there for the steps alone: it goes with the end.
END_ITEMS = Direct(
    update(items)
    .where(items.c.id.in_(_IDS))
    .values(state=bindparam("b_state"), ended_at=bindparam("b_ended_at"), open_until=None, secrets=None)
)


@dataclass(frozen=True)
class First:
    """The row that comes first of those that a change made ready in a lane: whoever waits looks there again."""

    lane: str
    rank: int
    sort_at: datetime


class ItemRow(NamedTuple):
    """A row of `items`, as far as changes go."""

    id: int
    state: int
    priority: int
    order_at: datetime
    ended_at: datetime | None


class StepRow(NamedTuple):
    """A row of `item_steps`, as far as changes go; `until` is when it can be taken, in the state LATER."""

    state: int
    status: str
    tries: int
    deaths: int
    claims: int
    until: datetime | None = None

    def not_begun(self) -> "StepRow":
        """The row of a step that was never taken."""
        return self._replace(state=READY, status=NOT_PROCESSED, tries=0, deaths=0, until=None)


Steps = dict[str, StepRow]
Edit = Callable[[int, Steps], bool]
"""Changes the steps of an item in place; False if it leaves the item as it is."""


@dataclass
class Changed:
    """What a change came to: the items it ended, and what it made ready."""

    ended: list[int] = field(default_factory=list)
    ready: list[First] = field(default_factory=list)
    can_begin: dict[str, list[int]] = field(default_factory=dict)
    """The items that were made ready, by step, without those whose process has died there before."""
    touched: int = 0


def change(
    connection: Connection,
    plan: Plan,
    ids: Iterable[int],
    edit: Edit,
    now: datetime,
    changes: Changes,
) -> Changed:
    """Change the steps of items, in the transaction of the caller.

    `edit` gets an item's id and its steps, and replaces what it changes; False leaves the item as it is. Items that are
    gone are passed over.
    """
    wanted, done = sorted(set(ids)), Changed()
    found, before = _lock_both(connection, wanted)
    moves = _Moves(plan, now, changes)
    for item_id, row in found.items():
        old = before.get(item_id, {})
        new = dict(old)
        if not edit(item_id, new):
            continue
        done.touched += 1
        moves.add(row, old, new)
    moves.write(connection)
    done.ended, done.ready, done.can_begin = moves.ended, moves.ready(), moves.can_begin
    item_replies.take_back(connection, moves.reopened, changes)
    item_replies.of_ended(connection, plan, done.ended, now)
    return done


def lock(connection: Connection, ids: Sequence[int]) -> dict[int, ItemRow]:
    """The rows of items, by id, the lowest first; they are locked until the transaction ends."""
    rows = _ITEMS.rows(connection, {"ids": ids}) if ids else ()
    return {row[0]: ItemRow._make(row) for row in sorted(rows)}


def steps_of(connection: Connection, ids: Sequence[int]) -> dict[int, Steps]:
    """The steps of items; nobody can take or change them until the transaction ends."""
    rows = _STEPS.rows(connection, {"ids": ids}) if ids else ()
    return _by_item((row[0], row[1:]) for row in rows)


def _lock_both(connection: Connection, ids: Sequence[int]) -> tuple[dict[int, ItemRow], dict[int, Steps]]:
    """The rows of items, by id, the lowest first, and those of their steps; both are locked."""
    rows = _BOTH.rows(connection, {"ids": ids}) if ids else ()
    of_item = len(_OF_ITEM)
    found = {row[0]: ItemRow._make(row[:of_item]) for row in sorted(rows, key=itemgetter(0))}
    return found, _by_item((row[0], row[of_item:]) for row in rows if row[of_item] is not None)


def _by_item(rows: Iterable[tuple[int, Sequence[Any]]]) -> dict[int, Steps]:
    found: dict[int, Steps] = defaultdict(dict)
    same: dict[Any, StepRow] = {}  # nearly all of them are alike
    for item_id, (step, *values) in rows:
        row = same.get(key := tuple(values))
        if row is None:
            row = same[key] = StepRow._make((*key, None))
        found[item_id][step] = row
    return found


@dataclass
class _Same:
    """Items that change in the same way, and how: worked out once for all of them."""

    item_state: int
    new_item_state: int
    moved: Sequence[tuple[str, StepRow, StepRow]]
    lanes: Sequence[str]
    """Those in which something can be taken now."""
    ids: list[int] = field(default_factory=list)
    first: tuple[int, datetime] | None = None


class _Moves:
    """Gathers what changes, so that all items that change in the same way need one statement."""

    def __init__(self, plan: Plan, now: datetime, changes: Changes) -> None:
        self._plan, self._now, self._changes = plan, now, changes
        self._same: dict[Any, _Same] = {}
        self._known: dict[Any, _Same] = {}
        self._kept: list[Any] = []  # a number is given anew once its object is gone
        self._rows: dict[tuple[str, StepRow], list[int]] = defaultdict(list)
        self._states: dict[tuple[str, int], list[int]] = defaultdict(list)
        self._items: dict[int, list[int]] = defaultdict(list)
        self.ended: list[int] = []
        self.reopened: list[int] = []
        self.can_begin: dict[str, list[int]] = {}

    def add(self, item: ItemRow, old: Steps, new: Steps) -> None:
        """Take an item whose steps were changed; what follows from that is found here."""
        # Rows that are alike are one object nearly always, and its number is much quicker than what it holds.
        numbers = item.state, *old, *map(id, old.values()), *new, *map(id, new.values())
        same = self._known.get(numbers)
        if same is None:
            key = item.state, tuple(old.items()), tuple(new.items())
            same = self._same.get(key)
            if same is None:
                same = self._same[key] = self._worked_out(item.state, old, new)
            self._known[numbers] = same
            self._kept.append(key)
        same.ids.append(item.id)
        if same.lanes:
            first = -item.priority, item.order_at
            same.first = first if same.first is None else min(same.first, first)

    def _worked_out(self, item_state: int, old: Steps, new: Steps) -> _Same:
        states = settled(self._plan, {name: Standing(one.state, one.status) for name, one in new.items()})
        settled_rows = {name: one._replace(state=states.get(name, one.state)) for name, one in new.items()}
        moved = [(name, old[name], one) for name, one in settled_rows.items() if one != old[name]]
        lanes = [self._plan.lane(name) for name, _, one in moved if one.state in (READY, LATER)]
        return _Same(item_state, of_item([one.state for one in settled_rows.values()]), moved, lanes)

    def _spread(self) -> None:
        """Put the items of each way into the statements that they need."""
        for same in self._same.values():
            for step, old, new in same.moved:
                self._changes.move(step, (old.state, old.status), (new.state, new.status), len(same.ids))
                if new.state == READY and not new.deaths:
                    self.can_begin[step] = [*self.can_begin.get(step, ()), *same.ids]
                if old.state in NOT_BEGUN and old._replace(state=new.state) == new:
                    self._states[step, new.state] += same.ids
                else:
                    # `claims` stays as it is in the row, so rows that differ in it alone go together.
                    self._rows[step, new._replace(claims=0)] += same.ids
            if same.item_state != same.new_item_state:
                before, after = same.item_state, same.new_item_state
                names = (before, name_of_item(before)), (after, name_of_item(after))
                self._changes.move(OF_ITEMS, *names, len(same.ids))
                self._items[after] += same.ids
                if before == OPEN:
                    self.ended += same.ids
                elif after == OPEN:
                    self.reopened += same.ids

    def ready(self) -> list[First]:
        """What comes first in each lane where something was made ready."""
        firsts: dict[str, tuple[int, datetime]] = {}
        for same in self._same.values():
            if same.first is not None:
                firsts |= {lane: min(firsts.get(lane, same.first), same.first) for lane in same.lanes}
        return [First(lane, *first) for lane, first in firsts.items()]

    def write(self, connection: Connection) -> None:
        """Write what has changed."""
        self._spread()
        for (step, state), ids in self._states.items():
            _PUT_STATE.run(connection, {"b_step": step, "ids": ids, "b_state": state, "b_since_at": self._now})
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
            _PUT[in_order].run(connection, values)
        for state, ids in self._items.items():
            if state == OPEN:
                _OPEN_ITEMS.run(connection, {"ids": ids})
            else:
                END_ITEMS.run(connection, {"ids": ids, "b_state": state, "b_ended_at": self._now})
