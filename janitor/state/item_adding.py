"""Adding items: each key of a pipeline is one item, however often it comes.

the key is new             an item, and a row for each of its steps; those without needs can be taken at once
the key is there already   by `on_duplicate`:
    reply    whoever asks is told when it is done, at once if it is done already
    ignore   nothing changes
    change   its arguments, order and priority are the new ones
    anew     so they are, and all its steps are done again
"""

import functools
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, bindparam, insert, literal, select, true, update

from janitor.databases.direct import Direct, a_list, a_table, as_json
from janitor.databases.direct_insert import DirectInsert
from janitor.errors import RowRefused
from janitor.state import item_acts, item_replies
from janitor.state.item_changes import First, lock
from janitor.state.item_counts import OF_ITEMS, Changes
from janitor.state.item_plans import Plan
from janitor.state.item_states import NOT_PROCESSED, OPEN, READY, name_of_item, settled
from janitor.state.item_tables import FAR, item_steps, items
from janitor.state.seeks import besides

DUPLICATES = ("reply", "ignore", "change", "anew")
MOST_KEY = 255
"""In characters."""
TOGETHER = 500
_ADD = DirectInsert(
    items,
    ["key", "args", "priority", "order_at", "expires_at", "open_until", "origin", "envelope", "secrets"],
    same=["pipeline", "added_at", "state", "times"],
)
_KEYS = a_list("keys")
_OF_PIPELINE = items.c.pipeline == bindparam("b_pipeline")
_KNOWN = Direct(select(items.c.id, items.c.key).where(_OF_PIPELINE, items.c.key.in_(_KEYS)), together=True)
_repeating: set[str] = set()
"""Pipelines to which keys are added that are there already: where they are none, nobody has to look before."""


class NewItem(NamedTuple):
    """An item to add.

    `args` and `secrets` are JSON texts. `envelope` says whom to answer, None if nobody is to be. A larger `priority`
    goes first, then the earlier `order_at`.
    """

    key: str
    args: str
    order_at: datetime
    priority: int = 0
    expires_at: datetime | None = None
    origin: str = "add"
    envelope: Mapping[str, Any] | None = None
    secrets: str | None = None
    on_duplicate: str | None = None


@dataclass
class Added:
    """How many items were new, and what became of keys that were there; `ready` is what can be taken now."""

    new: int = 0
    known: int = 0
    anew: int = 0
    ready: list[First] = field(default_factory=list)


Ready = Callable[[Mapping[str, Sequence[int]], Changes], None]
"""Told of what can begin, by step, before that is counted: it may change it."""


def _nobody(ready: Mapping[str, Sequence[int]], changes: Changes) -> None:
    """Leave what can begin as it is."""


def add(connection: Connection, plan: Plan, news: Iterable[NewItem], now: datetime, ready: Ready = _nobody) -> Added:
    """Add items to a pipeline, in the transaction of the caller; `ready` is told of an item that is added alone."""
    added, left = Added(), iter(news)
    while batch := list(islice(left, TOGETHER)):
        _add_batch(connection, plan, batch, now, added, ready)
    return added


def _add_batch(
    connection: Connection, plan: Plan, batch: Sequence[NewItem], now: datetime, added: Added, ready: Ready = _nobody
) -> None:
    fresh: dict[str, NewItem] = {}
    again = [new for new in batch if fresh.setdefault(new.key, new) is not new]
    first = None if plan.pipeline in _repeating else _insert_if_new(connection, plan, list(fresh.values()), now)
    if first is None:
        known = _known(connection, plan.pipeline, list(fresh))
        (_repeating.add if known else _repeating.discard)(plan.pipeline)
        again = [new for new in batch if new.key in known or fresh[new.key] is not new]
        fresh = {key: new for key, new in fresh.items() if key not in known}
        first = _insert(connection, plan, list(fresh.values()), now)
    _add_steps(connection, plan, list(fresh.values()), first, now, added, ready)
    if again:
        ids = _known(connection, plan.pipeline, [new.key for new in again])
        # In the order of their ids, as everybody locks them.
        there = lock(connection, sorted(ids.values()))
        for new in again:
            if ids.get(new.key) in there:
                _take_again(connection, plan, ids[new.key], new, now, added)
        # Somebody has dropped these just now.
        if gone := [new for new in again if ids.get(new.key) not in there]:
            _add_batch(connection, plan, gone, now, added)


def _known(connection: Connection, pipeline: str, keys: Sequence[str]) -> dict[str, int]:
    found = _KNOWN.rows(connection, {"b_pipeline": pipeline, "keys": keys}) if keys else ()
    return {key: item_id for item_id, key in found}


def _as_it_is(connection: Connection, item_id: int) -> Any:
    """An item as the keys before it in this batch have left it."""
    columns = (items.c.id, items.c.key, items.c.state, items.c.envelope)
    return connection.execute(select(*columns).where(items.c.id == item_id)).one()


def _insert_if_new(connection: Connection, plan: Plan, fresh: Sequence[NewItem], now: datetime) -> int | None:
    """Insert items, and give the id of the first; None, and no item, if there is one of their keys already."""
    try:
        with nullcontext() if len(fresh) == 1 else connection.begin_nested():
            return _insert(connection, plan, fresh, now)
    except RowRefused:
        return None


def _insert(connection: Connection, plan: Plan, fresh: Sequence[NewItem], now: datetime) -> int:
    """Insert items; the id of the first."""
    same = {"pipeline": plan.pipeline, "added_at": now, "state": OPEN, "times": 1}
    return _ADD.run(connection, [_row_of(new) for new in fresh], same)


def _add_steps(
    connection: Connection,
    plan: Plan,
    fresh: Sequence[NewItem],
    first: int,
    now: datetime,
    added: Added,
    ready: Ready,
) -> None:
    """Give the items that were just inserted their steps; all their ids are at least `first`."""
    if not fresh:
        return
    states = settled(plan, {})
    rows = as_json([[step, plan.lane(step), state] for step, state in states.items()])
    values = {"b_pipeline": plan.pipeline, "b_first": first, "b_now": now, "b_steps": rows}
    _insert_steps(connection.dialect.name).run(connection, values)
    changes = Changes(plan.pipeline)
    for step, state in states.items():
        changes.add(step, state, NOT_PROCESSED, len(fresh))
    changes.add(OF_ITEMS, OPEN, name_of_item(OPEN), len(fresh))
    steps = [step for step, state in states.items() if state == READY]
    if len(fresh) == 1:
        ready({step: [first] for step in steps}, changes)
    changes.write(connection)
    added.new += len(fresh)
    next_one = min(fresh, key=lambda new: (-new.priority, new.order_at))
    added.ready += [First(plan.lane(step), -next_one.priority, next_one.order_at) for step in steps]


@functools.cache
def _insert_steps(dialect: str) -> Direct:
    """Makes rows of all steps, which come as JSON, for the items from an id on that were added at one moment."""
    columns = [item_steps.c[name] for name in ("step", "lane", "state")]
    steps, found = a_table(dialect, "b_steps", [column.type for column in columns])
    values = {
        **dict(zip(("step", "lane", "state"), found, strict=True)),
        "item_id": items.c.id,
        "rank": -items.c.priority,
        "sort_at": items.c.order_at,
        "status": literal(NOT_PROCESSED),
        "since_at": bindparam("b_now", type_=item_steps.c.since_at.type),
        **dict.fromkeys(("tries", "deaths", "claims", "run_id"), literal(0)),
    }
    query = (
        select(*values.values()).select_from(steps.join(items, true())).prefix_with("STRAIGHT_JOIN", dialect="mysql")
    )
    query = query.prefix_with("STRAIGHT_JOIN", dialect="mariadb").where(
        items.c.id >= bindparam("b_first"),
        items.c.added_at == bindparam("b_now"),
        besides(items.c.pipeline) == bindparam("b_pipeline"),
    )
    return Direct(insert(item_steps).from_select(list(values), query))


def _row_of(new: NewItem) -> tuple[Any, ...]:
    envelope = None if new.envelope is None else json.dumps([new.envelope])
    until = new.expires_at or FAR
    return new.key, new.args, new.priority, new.order_at, new.expires_at, until, new.origin, envelope, new.secrets


def _take_again(connection: Connection, plan: Plan, item_id: int, new: NewItem, now: datetime, added: Added) -> None:
    """Do with a key that is there what its pipeline, or whoever adds it, says."""
    added.known += 1
    what = new.on_duplicate or plan.on_duplicate
    if what == "reply" and new.envelope is not None:
        _ask_again(connection, plan, _as_it_is(connection, item_id), new, now)
    elif what in ("change", "anew"):
        values: dict[str, Any] = {
            "args": new.args,
            "priority": new.priority,
            "order_at": new.order_at,
            "expires_at": new.expires_at,
        }
        has_ended = _as_it_is(connection, item_id).state != OPEN
        values["open_until"] = None if has_ended else new.expires_at or FAR
        # A secret is there for the steps alone, and an item that has ended has none to come.
        more = {"secrets": new.secrets} if new.secrets is not None and (what == "anew" or not has_ended) else {}
        # Who asked before an end has been told, or will be.
        told = {"envelope": None} if new.envelope is not None and has_ended else {}
        connection.execute(update(items).where(items.c.id == item_id).values(**values, **more, **told))
        item_acts.reorder(connection, item_id, -new.priority, new.order_at)
        if what == "anew":
            added.anew += 1
            added.ready += item_acts.reprocess(connection, plan, [item_id], now).ready
        _note_asker(connection, _as_it_is(connection, item_id), new)


def _ask_again(connection: Connection, plan: Plan, row: Row[Any], new: NewItem, now: datetime) -> None:
    """Let one more be told: when the item has ended, or at once. Who waits to be told already is told once."""
    if row.state != OPEN:
        due = item_replies.lanes_due(connection, row.id, new.envelope)
        item_replies.add(connection, plan, [item_replies.Due(row.id, row.key, new.envelope)], now, but=due)
        return
    _note_asker(connection, row, new)


def _note_asker(connection: Connection, row: Row[Any], new: NewItem) -> None:
    """Note who is to be told beside all others when the item has ended."""
    known = [] if row.envelope is None else json.loads(row.envelope)
    if new.envelope is not None and new.envelope not in known:
        text = json.dumps([*known, new.envelope][-item_replies.MOST_ENVELOPES :])
        connection.execute(update(items).where(items.c.id == row.id).values(envelope=text))
