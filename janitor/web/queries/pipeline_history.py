"""How many items of a pipeline were where over time, from the snapshots of their counts.

Between two moments there may be thousands of snapshots, and a chart has room for a hundred. So the time between is cut
into parts of the same length. Of each part the last snapshot is read, and of all others their moments alone.
"""

import json
from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, select

from janitor.state.item_counts import OF_ITEMS, Count
from janitor.state.item_plans import Plan
from janitor.state.item_states import DONE, FAILED, OPEN
from janitor.state.item_tables import item_snapshots
from janitor.web.queries import models
from janitor.web.queries.progress import by_step, progress_of


def pipeline_history(
    connection: Connection, plan: Plan, since: datetime, until: datetime, parts: int, *, with_steps: bool = True
) -> models.PipelineHistory:
    """The last snapshot of each part of the time between two moments, the oldest first.

    Without `with_steps` it tells of whole items alone.
    """
    own = item_snapshots.c.pipeline == plan.pipeline
    query = select(item_snapshots.c.at).where(own, item_snapshots.c.at >= since, item_snapshots.c.at <= until)
    length = (until - since) / parts
    last: dict[int, datetime] = {}
    for at in connection.execute(query.order_by(item_snapshots.c.at)).scalars():
        last[part_of(at, since, until, parts) if length else 0] = at
    wanted = select(item_snapshots.c.at, item_snapshots.c.content).where(own, item_snapshots.c.at.in_(last.values()))
    rows = connection.execute(wanted.order_by(item_snapshots.c.at))
    steps = [step.name for step in plan.steps] if with_steps else []
    return models.PipelineHistory(moments=[_moment(plan.pipeline, steps, row.at, row.content) for row in rows])


def part_of(at: datetime, since: datetime, until: datetime, parts: int) -> int:
    """In which of so many equal parts of the time between two moments a moment lies; 0 is the first."""
    return min(parts - 1, max(0, int(parts * ((at - since) / (until - since)))))


def _moment(pipeline: str, steps: Sequence[str], at: datetime, content: str) -> models.Moment:
    # Of each count the step comes first.
    wanted = {OF_ITEMS, *steps}
    states = by_step(Count(pipeline, *one) for one in json.loads(content) if one[0] in wanted)
    items = states.get(OF_ITEMS, Counter())
    return models.Moment(
        at=at,
        open=items.get(OPEN, 0),
        done=items.get(DONE, 0),
        failed=items.get(FAILED, 0),
        steps={name: progress_of(states.get(name, Counter())) for name in steps},
    )
