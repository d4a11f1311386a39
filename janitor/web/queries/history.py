"""The history: runs, and what people did, the newest first.

Runs and actions have ids of their own. A page of both takes one more of each than it shows, and merges them by their
moments. Its `next` is the pair of ids below which the next page goes on: `run.action`.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, func, select

from janitor.errors import BadSetting
from janitor.state import recent
from janitor.state.job_records import all_jobs
from janitor.state.run_records import BY_HAND
from janitor.state.seeks import earlier
from janitor.state.tables import actions, runs
from janitor.web.queries import models, records

_TOP = 2**53
"""An id that no row reaches."""


@dataclass(frozen=True)
class Filter:
    """What the runs and actions of a history must fit; None asks for nothing.

    `since` and `until` bound when they began; what begins at `until` is left out.
    """

    job: str | None = None
    outcome: str | None = None
    origin: str | None = None
    since: datetime | None = None
    until: datetime | None = None

    @property
    def wants_actions(self) -> bool:
        """Whether actions can fit: they have no outcome and no origin."""
        return self.outcome is None and self.origin is None


def run_list(
    connection: Connection, job_ids: Iterable[str], wanted: Filter, limit: int, before: int | None = None
) -> models.RunList:
    """A page of runs, the newest first; with `before`, only runs with a lower id."""
    rows = _run_rows(connection, job_ids, wanted, limit + 1, before)
    lines = [records.run_line(row) for row in rows[:limit]]
    return models.RunList(runs=lines, next_before=lines[-1].id if len(rows) > limit else None)


def action_list(connection: Connection, wanted: Filter, limit: int, before: int | None = None) -> models.ActionList:
    """A page of what people did, the newest first; with `before`, only actions with a lower id."""
    lines = _actions(connection, wanted, limit + 1, before)
    return models.ActionList(actions=lines[:limit], next_before=lines[limit - 1].id if len(lines) > limit else None)


def history_of(
    connection: Connection, job_ids: Iterable[str], wanted: Filter, limit: int, before: str | None = None
) -> models.History:
    """A page of runs, and of what people did between them, the newest first. `before` is the last page's `next`.

    If an outcome or an origin is asked for, there are no actions.

    Raises:
        BadSetting: `before` is no page's `next`.
    """
    run_before, action_before = _place(before)
    lines = [records.run_line(row) for row in _run_rows(connection, job_ids, wanted, limit + 1, run_before)]
    done = _actions(connection, wanted, limit + 1, action_before) if wanted.wants_actions else []
    events = list[models.Event]()
    while (lines or done) and len(events) < limit:
        if not done or (lines and lines[0].started_at >= done[0].at):
            events.append(models.Event(at=lines[0].started_at, run=lines[0], action=None))
            run_before = lines.pop(0).id
        else:
            events.append(models.Event(at=done[0].at, run=None, action=done[0]))
            action_before = done.pop(0).id
    rest = f"{_TOP if run_before is None else run_before}.{_TOP if action_before is None else action_before}"
    return models.History(events=events, next=rest if lines or done else None)


def _run_rows(
    connection: Connection, job_ids: Iterable[str], wanted: Filter, limit: int, before: int | None
) -> Sequence[Row[Any]]:
    """The newest runs that fit, each found along the index that holds just these."""
    names = [wanted.job] if wanted.job else sorted({*job_ids, *all_jobs(connection)})
    bounds = {"before": before, "since": wanted.since, "until": wanted.until}
    if wanted.outcome not in (None, "running"):
        return recent.with_outcome(connection, names, str(wanted.outcome), limit, **bounds, origin=wanted.origin)
    if wanted.outcome is None and wanted.origin == BY_HAND:
        return recent.by_hand(connection, names, limit, **bounds)
    # The ids of runs that go on are read first: MariaDB would look for the newest of them through all that have ended.
    live = select(runs.c.id).where(runs.c.outcome.is_(None))
    ids = None if wanted.outcome is None else connection.execute(live).scalars().all()
    return recent.of_any(connection, wanted.job, limit, ids, **bounds, origin=wanted.origin)


def _actions(connection: Connection, wanted: Filter, limit: int, before: int | None) -> list[models.Action]:
    query = select(*(column for column in actions.c if column.name != "detail"))
    query = query.add_columns(func.substr(actions.c.detail, 1, recent.CUT).label("detail"))
    if wanted.job is not None:
        query = query.where(actions.c.job == wanted.job)
    if wanted.since is not None:
        query = query.where(actions.c.at >= wanted.since)
    if wanted.until is not None:
        query = query.where(actions.c.at < wanted.until)
    # The newest of all between two moments are those that were done last: only they are found without the rest.
    by_age = wanted.job is None and (wanted.since or wanted.until)
    order = (actions.c.at.desc(), actions.c.id.desc()) if by_age else (actions.c.id.desc(),)
    if before is not None:
        rest = earlier(connection, actions.c.at, actions.c.id, before) if by_age else actions.c.id < before
        query = query.where(rest)
    rows = connection.execute(query.order_by(*order).limit(limit))
    return [models.Action(**records.fields_of(row, models.Action) | {"detail": row.detail or ""}) for row in rows]


def _place(text: str | None) -> tuple[int | None, int | None]:
    if text is None:
        return None, None
    match = re.fullmatch(r"(\d{1,16})\.(\d{1,16})", text)
    if match is None:
        raise BadSetting("before", text, "give what `next` was on the page before")
    return int(match[1]), int(match[2])
