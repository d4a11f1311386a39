"""How fast the steps of a pipeline go: what they have ended since a snapshot of some minutes ago.

What has ended with an error may have been tried before, and what is old is deleted: neither may look like work done.

    ended well         attempts with such a status: each ends a step, and their number only grows
    ended with errors  how many more items are in the state FAILED
"""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection, select

from janitor.state.item_counts import EVER, Count
from janitor.state.item_plans import Plan
from janitor.state.item_states import FAILED
from janitor.state.item_tables import item_snapshots

WINDOW = timedelta(minutes=10)
"""So far back a rate looks."""
LEAST = timedelta(seconds=30)
"""From so little time no rate is told."""


def rates(connection: Connection, plan: Plan, counts: Sequence[Count], now: datetime) -> dict[str, float] | None:
    """How many items each step has ended a second, of late, by step; None if that is not known.

    `counts` are those of now.
    """
    query = select(item_snapshots.c.at, item_snapshots.c.content).where(item_snapshots.c.pipeline == plan.pipeline)
    query = query.where(item_snapshots.c.at >= now - WINDOW).order_by(item_snapshots.c.at).limit(1)
    row = connection.execute(query).one_or_none()
    if row is None or now - row.at < LEAST:
        return None
    before = [Count(plan.pipeline, *one) for one in json.loads(row.content)]
    seconds = (now - row.at).total_seconds()
    was_well, was_failed = _ended(before, plan.kinds)
    well, failed = _ended(counts, plan.kinds)
    return {
        step.name: (max(0, well[step.name] - was_well[step.name]) + max(0, failed[step.name] - was_failed[step.name]))
        / seconds
        for step in plan.steps
    }


def _ended(counts: Sequence[Count], kinds: Mapping[str, str]) -> tuple[Counter[str], Counter[str]]:
    """How many attempts of each step ended well, and how many items are in the state FAILED at it."""
    well, failed = Counter[str](), Counter[str]()
    for one in counts:
        if one.state == EVER and kinds.get(one.status) in ("ok", "warning"):
            well[one.step] += one.number
        elif one.state == FAILED:
            failed[one.step] += one.number
    return well, failed
