"""The ends of attempts: what a step brought is recorded, for many items in one transaction.

What is no longer held by its claim is dropped: the item was reset, dropped, or taken by another run meanwhile.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, delete, insert, select

from janitor.state.item_changes import Changed, Steps, change
from janitor.state.item_claims import attempt_row
from janitor.state.item_counts import Changes
from janitor.state.item_plans import Plan
from janitor.state.item_states import LATER, NOT_PROCESSED, PROCESSING, READY
from janitor.state.item_tables import item_attempts, item_results


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


def record(
    connection: Connection, plan: Plan, step: str, run_id: int, ends: Sequence[End], now: datetime, changes: Changes
) -> Changed:
    """Record ends, in the transaction of the caller, who writes `changes`; of an item its newest claim alone."""
    # An item that was reset may be taken again before its older try has ended.
    by_item = {end.item_id: end for end in sorted(ends, key=lambda end: end.claim)}
    kept: list[End] = []

    def edit(item_id: int, found: Steps) -> bool:
        row, end = found.get(step), by_item[item_id]
        if row is None or row.state != PROCESSING or row.claims != end.claim:
            return False
        kept.append(end)
        goes_back = end.state in (READY, LATER)
        found[step] = row._replace(
            state=end.state,
            status=NOT_PROCESSED if goes_back else end.status,
            tries=row.tries + (end.counts and not end.died),
            deaths=row.deaths + end.died,
            until=end.until,
        )
        return True

    changed = change(connection, plan, list(by_item), edit, now, changes)
    _keep(connection, plan, step, run_id, kept, changes)
    return changed


def _keep(connection: Connection, plan: Plan, step: str, run_id: int, kept: Sequence[End], changes: Changes) -> None:
    """Keep the attempts, and what they brought."""
    if not kept:
        return
    rows = [
        attempt_row(
            *(end.item_id, step, run_id, end.started_at, end.seconds, end.told),
            reason=end.reason,
            traceback=end.traceback,
            log=end.log,
            code=end.code,
        )
        for end in kept
    ]
    connection.execute(insert(item_attempts), rows)
    for end in kept:
        changes.tried(step, end.told, end.seconds)
    results = [{"item_id": end.item_id, "step": step, "content": end.result} for end in kept if end.result is not None]
    if results:
        ids = [row["item_id"] for row in results]
        before = item_results.c.item_id.in_(ids) & (item_results.c.step == step)
        connection.execute(delete(item_results).where(before))
        connection.execute(insert(item_results), results)


def results_of(connection: Connection, item_id: int) -> dict[str, str]:
    """What each step left, as JSON texts."""
    query = select(item_results.c.step, item_results.c.content).where(item_results.c.item_id == item_id)
    return {row.step: row.content for row in connection.execute(query)}
