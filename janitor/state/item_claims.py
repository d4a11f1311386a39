"""Claiming: a run takes what is due at a step, in batches, and holds it until it has ended.

    look     the first rows of the lane's range, a plain read that locks nothing
    take     UPDATE ... WHERE state is READY: of two who look at a row, one has it
    hold     the row says PROCESSING, and which run has it; its claim number tells it from every later claim
    lose     what a dead run held goes back, with an attempt that was interrupted

A server must step over each row that was taken and that an open snapshot may still see: a backup's, for example. So
whoever claims remembers how far it has come, and begins to look there. What comes before that place is told to it, or
is found by a whole look now and then.

    which rows of a batch a process died of is unknown, so all of them count a death, and are taken one at a time
    from then on: an item that kills its process is found, and all others go on
"""

import functools
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, Select, bindparam, exists, insert, literal, select, update

from janitor.databases.direct import Direct, a_list
from janitor.runs import Outcome
from janitor.runs.outcome import CUT_OFF
from janitor.state.item_changes import Changed, Steps, change
from janitor.state.item_counts import Changes
from janitor.state.item_plans import Plan
from janitor.state.item_ranges import stands_behind
from janitor.state.item_states import (
    EXPIRED,
    FAILED,
    FAILURE,
    IN_PROCESS,
    LATER,
    NOT_PROCESSED,
    PROCESSING,
    READY,
)
from janitor.state.item_tables import item_attempts, item_results, item_steps, items
from janitor.state.seeks import besides
from janitor.state.tables import runs

INTERRUPTED = Outcome.INTERRUPTED.value
"""The status of an attempt whose process ended in the middle."""
Position = tuple[int, datetime, int]
"""Where a row stands in its lane: rank, moment, item."""
_IDS = a_list("ids")
_ORDER = (item_steps.c.rank, item_steps.c.sort_at, item_steps.c.item_id)
_DUE = (
    select(*_ORDER, item_steps.c.deaths)
    .where(item_steps.c.lane == bindparam("b_lane"), item_steps.c.state == READY)
    .order_by(*_ORDER)
    .limit(bindparam("b_most"))
)
# Without the lane, which the ids have in common: with it SQLite would look for them among all that waits there.
_TAKE = Direct(
    update(item_steps)
    .where(item_steps.c.step == bindparam("b_step"), item_steps.c.item_id.in_(_IDS), item_steps.c.state == READY)
    .values(
        state=PROCESSING,
        status=IN_PROCESS,
        rank=0,
        sort_at=bindparam("b_now"),
        since_at=bindparam("b_now"),
        run_id=bindparam("b_run"),
        claims=item_steps.c.claims + 1,
    )
)
_CLAIMED = (
    select(
        items.c.id,
        items.c.key,
        items.c.args,
        items.c.priority,
        items.c.order_at,
        items.c.added_at,
        items.c.expires_at,
        items.c.envelope,
        items.c.secrets,
        items.c.times,
        item_steps.c.tries,
        item_steps.c.deaths,
        item_steps.c.claims,
    )
    .join(item_steps, item_steps.c.item_id == items.c.id)
    .where(
        item_steps.c.step == bindparam("b_step"),
        item_steps.c.item_id.in_(_IDS),
        item_steps.c.state == PROCESSING,
        item_steps.c.run_id == bindparam("b_run"),
    )
)
# Few items have results: they alone are asked for them.
_HAS_RESULTS = exists().where(item_results.c.item_id == items.c.id)
_TAKEN = {
    of_several: Direct(_CLAIMED.add_columns(_HAS_RESULTS if of_several else literal(0)), together=True)
    for of_several in (True, False)
}
_LATER = Direct(
    select(item_steps.c.item_id)
    .where(
        item_steps.c.lane == bindparam("b_lane"),
        item_steps.c.state == LATER,
        item_steps.c.rank == 0,
        item_steps.c.sort_at <= bindparam("b_now"),
    )
    .limit(bindparam("b_most"))
)
_EXPIRED = Direct(
    select(items.c.id)
    .where(
        items.c.open_until <= bindparam("b_now"),
        items.c.expires_at.is_not(None),  # for the index of SQLite, which has no others
        besides(items.c.pipeline) == bindparam("b_pipeline"),
    )
    .limit(bindparam("b_most"))
)
_RESULTS = Direct(
    select(item_results.c.item_id, item_results.c.step, item_results.c.content).where(item_results.c.item_id.in_(_IDS)),
    together=True,
)


class Claimed(NamedTuple):
    """An item that a run holds at a step; `results` are JSON texts of the steps before it, by step."""

    id: int
    key: str
    args: str
    priority: int
    order_at: datetime
    added_at: datetime
    expires_at: datetime | None
    envelope: str | None
    secrets: str | None
    times: int
    tries: int
    deaths: int
    claim: int
    results: Mapping[str, str]


@dataclass(frozen=True)
class Found:
    """What a look found: the items in their order, and where the last stands; None if nothing is due.

    `is_suspect` says that it is one item alone, whose process has died before; `is_all` that no other is due behind.
    """

    ids: Sequence[int]
    last: Position | None
    is_suspect: bool = False
    is_all: bool = False


def look(connection: Connection, lane: str, most: int, after: Position | None = None, suspects: bool = True) -> Found:
    """The first items that are due in a lane, from a place on; one whose process has died before comes alone.

    Without `suspects` those are passed over.
    """
    place = {} if after is None else dict(zip(("b_rank", "b_sort_at", "b_item_id"), after, strict=True))
    query = _due(connection.dialect.name, after is not None, suspects)
    rows = sorted(query.rows(connection, {"b_lane": lane, "b_most": most, **place}))
    deadly = next((at for at, (*_, deaths) in enumerate(rows) if deaths), None)
    is_all = suspects and deadly is None and len(rows) < most
    rows = rows if deadly is None else rows[: max(1, deadly)]
    last = None if not rows else rows[-1][:3]
    return Found([item_id for _, _, item_id, _ in rows], last, deadly == 0, is_all)


@functools.cache
def _due(dialect: str, has_place: bool, suspects: bool) -> Direct:
    query = _DUE if suspects else _DUE.where(item_steps.c.deaths == 0)
    if has_place:
        place = [bindparam(f"b_{column.name}", type_=column.type) for column in _ORDER]
        query = query.where(stands_behind(dialect, _ORDER, place, newest_first=False))
    return Direct(query, together=True)


def take(
    connection: Connection, plan: Plan, step: str, run_id: int, ids: Sequence[int], now: datetime, changes: Changes
) -> list[Claimed]:
    """Take items for a run, as far as nobody has taken them, in the order of `ids`."""
    if not ids:
        return []
    taking = {"b_step": step, "ids": ids, "b_now": now, "b_run": run_id}
    count = _TAKE.run(connection, taking)
    if not count:
        return []
    rows = _TAKEN[len(plan.steps) > 1].rows(connection, {"b_step": step, "ids": ids, "b_run": run_id})
    changes.move(step, (READY, NOT_PROCESSED), (PROCESSING, IN_PROCESS), count)
    results = _results_of(connection, [row[0] for row in rows if row[-1]])
    found = {row[0]: Claimed._make((*row[:-1], results.get(row[0], {}))) for row in rows}
    return [found[item_id] for item_id in ids if item_id in found]


def _results_of(connection: Connection, ids: Sequence[int]) -> dict[int, dict[str, str]]:
    found: dict[int, dict[str, str]] = {}
    for item_id, step, content in _RESULTS.rows(connection, {"ids": ids}) if ids else ():
        found.setdefault(item_id, {})[step] = content
    return found


def let_go(connection: Connection, plan: Plan, step: str, claims: Mapping[int, int], now: datetime) -> Changed:
    """Give back what a run holds and has not begun: nothing is counted. `claims` are claim numbers by item."""
    changes = Changes(plan.pipeline)

    def edit(item_id: int, found: Steps) -> bool:
        row = found.get(step)
        if row is None or row.state != PROCESSING or row.claims != claims[item_id]:
            return False
        found[step] = row._replace(state=READY, status=NOT_PROCESSED)
        return True

    changed = change(connection, plan, list(claims), edit, now, changes)
    changes.write(connection)
    return changed


def has_later(connection: Connection, lane: str, now: datetime) -> bool:
    """Whether the moment of some try has come, in a lane."""
    return bool(_LATER.rows(connection, {"b_lane": lane, "b_now": now, "b_most": 1}))


def has_expired(connection: Connection, pipeline: str, now: datetime) -> bool:
    """Whether some item of a pipeline is past its time."""
    return bool(_EXPIRED.rows(connection, {"b_pipeline": pipeline, "b_now": now, "b_most": 1}))


def promote(connection: Connection, plan: Plan, step: str, now: datetime, most: int = 1_000) -> Changed:
    """Let those be taken whose moment for another try has come."""
    ids = [row[0] for row in _LATER.rows(connection, {"b_lane": plan.lane(step), "b_now": now, "b_most": most})]
    changes = Changes(plan.pipeline)

    def edit(item_id: int, found: Steps) -> bool:
        row = found.get(step)
        if row is None or row.state != LATER:
            return False
        found[step] = row._replace(state=READY)
        return True

    changed = change(connection, plan, ids, edit, now, changes)
    changes.write(connection)
    return changed


def has_held_by_dead(connection: Connection, lane: str) -> bool:
    """Whether a run that has ended still holds something in a lane."""
    held = select(item_steps.c.item_id).join(runs, runs.c.id == item_steps.c.run_id).limit(1)
    held = held.where(item_steps.c.lane == lane, item_steps.c.state == PROCESSING, runs.c.outcome.is_not(None))
    return connection.execute(held).first() is not None


def release_dead(
    connection: Connection,
    plan: Plan,
    step: str,
    run_id: int | None,
    most: int,
    now: datetime,
    failed: str = FAILURE,
) -> Changed:
    """Give back what runs of a step hold that have ended, under the lease of the run `run_id`, which goes on.

    Without such a run, what other runs hold that go on is left to them. If the process of a run died, the items count a
    death; with the last of `most` they have failed, with the status `failed`.
    """
    rows = {row.item_id: row for row in connection.execute(_held_by_others(plan.lane(step), run_id))}
    changes = Changes(plan.pipeline)
    attempts: list[dict[str, Any]] = []

    def edit(item_id: int, found: Steps) -> bool:
        row, was = found.get(step), rows[item_id]
        if row is None or row.state != PROCESSING or row.claims != was.claims:
            return False
        died = has_died(was.outcome, was.reason)
        deaths = row.deaths + died
        is_last = died and deaths >= most
        by = f"its process ended before it was done, {deaths} of {most}"
        reason = by if died else "its run ended before it was done"
        to = (FAILED, failed) if is_last else (READY, NOT_PROCESSED)
        found[step] = row._replace(state=to[0], status=to[1], deaths=deaths)
        seconds = max(0.0, ((was.ended_at or now) - was.since_at).total_seconds())
        told = failed if is_last else INTERRUPTED
        changes.tried(step, told, seconds)
        attempts.append(attempt_row(item_id, step, was.run_id, was.since_at, seconds, told, reason))
        return True

    changed = change(connection, plan, list(rows), edit, now, changes)
    if attempts:
        connection.execute(insert(item_attempts), attempts)
    changes.write(connection)
    return changed


def _held_by_others(lane: str, run_id: int | None) -> Select[Any]:
    columns = (item_steps.c.item_id, item_steps.c.run_id, item_steps.c.since_at, item_steps.c.claims)
    held = select(*columns, runs.c.outcome, runs.c.ended_at, runs.c.reason)
    held = held.outerjoin(runs, runs.c.id == item_steps.c.run_id)
    held = held.where(item_steps.c.lane == lane, item_steps.c.state == PROCESSING)
    if run_id is None:
        return held.where(runs.c.outcome.is_not(None) | runs.c.id.is_(None))
    return held.where(item_steps.c.run_id != run_id)


def has_died(outcome: str | None, reason: str | None) -> bool:
    """Whether a run's process ended in the middle of it; a daemon that stops in order cuts runs off: that is none."""
    return outcome is None or (outcome == INTERRUPTED and not (reason or "").startswith(CUT_OFF))


def expire(connection: Connection, plan: Plan, now: datetime, most: int = 1_000) -> Changed:
    """Let items end that are past their time at each step that has not begun, and that could be taken."""
    values = {"b_pipeline": plan.pipeline, "b_now": now, "b_most": most}
    ids = [row[0] for row in _EXPIRED.rows(connection, values)]
    changes = Changes(plan.pipeline)

    def edit(item_id: int, found: Steps) -> bool:
        due = [name for name, row in found.items() if row.state in (READY, LATER)]
        found.update({name: found[name]._replace(state=FAILED, status=EXPIRED) for name in due})
        return bool(due)

    changed = change(connection, plan, ids, edit, now, changes)
    changes.write(connection)
    return changed


def attempt_row(
    item_id: int,
    step: str,
    run_id: int,
    started_at: datetime,
    seconds: float,
    status: str,
    reason: str | None,
    traceback: str | None = None,
    log: str | None = None,
    code: str | None = None,
) -> dict[str, Any]:
    """A row of `item_attempts`."""
    return {
        "item_id": item_id,
        "step": step,
        "run_id": run_id,
        "started_at": started_at,
        "seconds": seconds,
        "status": status,
        "reason": reason,
        "traceback": traceback,
        "log": log,
        "code": code,
    }


def envelopes_of(text: str | None) -> list[Mapping[str, Any]]:
    """Who asked for an item, as they came."""
    return [] if text is None else list(json.loads(text))
