"""The ends of attempts: what a step brought is recorded, for many items in one transaction.

What is no longer held by its claim is dropped: the item was reset, dropped, or taken by another run meanwhile.
"""

from collections.abc import Sequence
from datetime import datetime
from operator import attrgetter
from typing import Any, NamedTuple

from sqlalchemy import Connection, bindparam, delete, select

from janitor.databases.direct import Direct, a_list
from janitor.databases.direct_insert import DirectInsert
from janitor.state import item_alike
from janitor.state.item_changes import Changed, StepRow, Steps, change
from janitor.state.item_counts import Changes
from janitor.state.item_plans import Plan
from janitor.state.item_states import DONE, FAILED, LATER, NOT_PROCESSED, PROCESSING, READY
from janitor.state.item_tables import item_attempts, item_results

_ADD_ATTEMPTS = DirectInsert(
    item_attempts,
    ["item_id", "started_at", "seconds", "status", "reason", "traceback", "log", "code"],
    same=["step", "run_id"],
)
_DELETE_RESULTS = Direct(
    delete(item_results).where(item_results.c.item_id.in_(a_list("ids")), item_results.c.step == bindparam("b_step"))
)
_ADD_RESULTS = DirectInsert(item_results, ["item_id", "content"], same=["step"])


class End(NamedTuple):
    """How one attempt ended.

    `state` is DONE or FAILED; LATER if another try comes at `until`; READY if the item goes back as if it had not been
    taken. `counts` is False if the attempt counts for nothing. `died` says that its process ended. `result` is a JSON
    text; `code` is for whoever asked.
    """

    item_id: int
    claim: int
    state: int
    status: str
    started_at: datetime
    seconds: float
    told: str
    until: datetime | None = None
    counts: bool = True
    died: bool = False
    reason: str | None = None
    traceback: str | None = None
    log: str | None = None
    result: str | None = None
    code: str | None = None


_KIND = attrgetter("claim", "state", "status", "until", "counts", "died")


def record(
    connection: Connection, plan: Plan, step: str, run_id: int, ends: Sequence[End], now: datetime, changes: Changes
) -> Changed:
    """Record ends, in the transaction of the caller, who writes `changes`; of an item its newest claim alone."""
    changed = _record_alike(connection, plan, step, ends, now, changes)
    if changed is not None:
        _keep(connection, plan, step, run_id, ends, changes)
        return changed
    # An item that was reset may be taken again before its older try has ended.
    by_item = {end.item_id: end for end in sorted(ends, key=lambda end: end.claim)}
    kept: list[End] = []
    alike: dict[Any, StepRow] = {}

    def edit(item_id: int, found: Steps) -> bool:
        row, end = found.get(step), by_item[item_id]
        if row is None or row.state != PROCESSING or row.claims != end.claim:
            return False
        kept.append(end)
        key = row, end.state, end.status, end.counts, end.died, end.until
        after = alike.get(key)
        if after is None:
            after = alike[key] = _after(row, end)
        found[step] = after
        return True

    changed = change(connection, plan, list(by_item), edit, now, changes)
    _keep(connection, plan, step, run_id, kept, changes)
    return changed


def _record_alike(
    connection: Connection, plan: Plan, step: str, ends: Sequence[End], now: datetime, changes: Changes
) -> Changed | None:
    """Record ends without reading what they end, if all are alike; None if they are not."""
    kinds = set(map(_KIND, ends)) if len(plan.steps) == 1 else ()
    if len(kinds) != 1:
        return None
    [(claim, state, status, until, counts, died)] = kinds
    ids = [end.item_id for end in ends]
    if state not in (DONE, FAILED) or until is not None or not counts or died:
        return None
    return item_alike.end(connection, plan, step, ids, claim, (state, status), now, changes)


def _after(row: StepRow, end: End) -> StepRow:
    """The row of a step after an end."""
    return row._replace(
        state=end.state,
        status=NOT_PROCESSED if end.state in (READY, LATER) else end.status,
        tries=row.tries + (end.counts and not end.died),
        deaths=row.deaths + end.died,
        until=end.until,
    )


def _keep(connection: Connection, plan: Plan, step: str, run_id: int, kept: Sequence[End], changes: Changes) -> None:
    """Keep the attempts, and what they brought."""
    if not kept:
        return
    rows = [
        (end.item_id, end.started_at, end.seconds, end.told, end.reason, end.traceback, end.log, end.code)
        for end in kept
    ]
    _ADD_ATTEMPTS.run(connection, rows, {"step": step, "run_id": run_id})
    for end in kept:
        changes.tried(step, end.told, end.seconds)
    if results := [(end.item_id, end.result) for end in kept if end.result is not None]:
        _DELETE_RESULTS.run(connection, {"b_step": step, "ids": [item_id for item_id, _ in results]})
        _ADD_RESULTS.run(connection, results, {"step": step})


def results_of(connection: Connection, item_id: int) -> dict[str, str]:
    """What each step left, as JSON texts."""
    query = select(item_results.c.step, item_results.c.content).where(item_results.c.item_id == item_id)
    return {row.step: row.content for row in connection.execute(query)}
