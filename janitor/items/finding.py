"""Finding items from a task: which have which status, and how many."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from janitor.items.adding import check_step, plan_of
from janitor.items.item import Results
from janitor.memory.access import reading
from janitor.state import item_counts, item_endings, item_search
from janitor.state.item_counts import EVER, OF_ITEMS
from janitor.state.item_search import Wanted
from janitor.state.item_states import name_of_item

__all__ = ["Found", "counts", "find"]

TOGETHER = 200


@dataclass(frozen=True)
class Found:
    """An item as `find` gives it: `state` is open, done or failed; `statuses` and `results` are by step."""

    key: str
    args: Mapping[str, Any]
    state: str
    statuses: Mapping[str, str]
    results: Mapping[str, Any]
    added_at: datetime
    ended_at: datetime | None


def find(
    pipeline: str,
    *,
    step: str | None = None,
    status: str | None = None,
    state: str | None = None,
    key: str | None = None,
    flagged: bool = False,
) -> Iterator[Found]:
    """Give the items of a pipeline that are so; a few hundred are read at a time.

    What becomes of them meanwhile changes nothing; others that become so may come too. `state` is `open`, `done` or
    `failed`. A `key` with a `*` at its end stands for all that begin so. Each page is a safe point of the run.

    Raises:
        BadSetting: there is no such pipeline, or it has no such step.
        DeadlineExceeded, Cancelled: as the run's `check` does.
        Unavailable, Rejected: the state database is away or says no.
    """
    walk = item_search.Walk(Wanted(pipeline, step, status, state, key, flagged))
    with reading() as connection:
        plan = plan_of(connection, pipeline)
    if step is not None:
        check_step(plan, step, "step")
    while True:
        with reading() as connection:
            ids = walk.next(connection, TOGETHER)
            found = [_found(connection, row) for row in item_search.of_ids(connection, ids)]
        yield from found
        if not ids:
            return


def counts(pipeline: str) -> Mapping[str, Mapping[str, int]]:
    """How many items of a pipeline have which status, by step; under the name `items` how many are open, done, failed.

    Raises:
        BadSetting: there is no such pipeline.
        Unavailable, Rejected: the state database is away or says no.
    """
    with reading() as connection:
        plan = plan_of(connection, pipeline)
        known = item_counts.read(connection, pipeline)
    found: dict[str, dict[str, int]] = {"items": {}, **{step.name: {} for step in plan.steps}}
    for one in known:
        if one.state != EVER and (one.step == OF_ITEMS or one.step in found):
            name = "items" if one.step == OF_ITEMS else one.step
            status = name_of_item(one.state) if one.step == OF_ITEMS else one.status
            found[name][status] = found[name].get(status, 0) + one.number
    return found


def _found(connection: Any, row: Any) -> Found:
    steps = item_search.steps(connection, [row.id])[row.id]
    return Found(
        row.key,
        json.loads(row.args),
        name_of_item(row.state),
        {step.step: step.status for step in steps},
        Results(item_endings.results_of(connection, row.id)),
        row.added_at,
        row.ended_at,
    )
