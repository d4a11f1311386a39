"""All that is known of one run; and the runs that go on."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, select

from janitor.jobs import json_texts
from janitor.state import builds, description_records, result_records
from janitor.state.holders import process
from janitor.state.run_records import attempts_of, get
from janitor.state.tables import runs
from janitor.web.queries import models, records


def going(connection: Connection, now: datetime, limit: int) -> list[models.Going]:
    """The runs that go on, in all processes, the oldest first; up to `limit`."""
    rows = connection.execute(select(runs).where(runs.c.outcome.is_(None)).order_by(runs.c.id).limit(limit))
    return [records.going(row, now) for row in rows]


def _nothing(result: str) -> None:
    """Show nothing of a result."""


def run_page(
    connection: Connection, run_id: int, now: datetime, show_result: Callable[[str], Any] = _nothing
) -> models.RunPage | None:
    """All that is known of one run, but its log; None if there is no such run.

    `show_result` makes of the run's result, a JSON text, what the page holds of it.
    """
    row = get(connection, run_id)
    if row is None:
        return None
    result, config = result_records.load(connection, run_id), description_records.load(connection, row.config)
    late = (row.started_at - row.slot_at).total_seconds() if row.slot_at is not None and row.attempts else None
    before, after = _neighbours(connection, row)
    return models.RunPage(
        run=records.run_line(row),
        going=None if row.outcome else records.going(row, now),
        progress=records.progress(row.progress),
        traceback=row.traceback,
        attempts=[records.attempt(one) for one in attempts_of(connection, run_id)],
        process=process(row.holder),
        late_seconds=late,
        before=before,
        after=after,
        used=_used(connection, run_id),
        used_by=[models.OtherRun(run=one, job=job, kept=True) for one, job in builds.used_by(connection, run_id)],
        result=None if result is None else show_result(result),
        has_result=result is not None,
        config=config if isinstance(config := json_texts.read(config), dict) else None,
        kept_because=row.kept_because,
    )


def _neighbours(connection: Connection, row: Row[Any]) -> tuple[int | None, int | None]:
    """The runs of the same job before and after a run."""
    of_job = select(runs.c.id).where(runs.c.job == row.job)
    older = of_job.where(runs.c.id < row.id).order_by(runs.c.id.desc()).limit(1)
    newer = of_job.where(runs.c.id > row.id).order_by(runs.c.id).limit(1)
    return connection.execute(older).scalar(), connection.execute(newer).scalar()


def _used(connection: Connection, run_id: int) -> list[models.OtherRun]:
    """The runs that a run used, by job."""
    used = builds.uses(connection, [run_id]).get(run_id, {})
    kept = set(connection.execute(select(runs.c.id).where(runs.c.id.in_(used.values()))).scalars()) if used else set()
    return [models.OtherRun(run=one, job=job, kept=one in kept) for job, one in sorted(used.items())]
