"""What runs did in each hour."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, String, case, func, literal, or_, select

from janitor.jobs.job import Job
from janitor.state.tables import runs
from janitor.web.queries import models, records
from janitor.web.queries.timeline import within

HOUR = timedelta(hours=1)


def hours(connection: Connection, all_jobs: Mapping[str, Job], since: datetime, now: datetime) -> list[models.Hour]:
    """What runs did in each hour, from the hour of `since` on; dry runs do not count."""
    first = since.replace(minute=0, second=0, microsecond=0)
    hour = func.substr(runs.c.ended_at, 1, 13, type_=String).label("hour")
    query = select(hour, _sum(records.PUBLISHED).label("published"), _sum(records.ROWS).label("rows"))
    something = or_(*(_tells(name) for name in (*records.PUBLISHED, *records.ROWS)))
    query = query.where(*within(all_jobs, first), runs.c.dry_run.is_(False), something).group_by(hour)
    told = {row.hour: (int(row.published), int(row.rows)) for row in connection.execute(query)}
    found = list[models.Hour]()
    while first <= now:
        published, changed = told.get(f"{first:%Y-%m-%d %H}", (0, 0))
        found.append(models.Hour(at=first, published=published, rows=changed))
        first += HOUR
    return found


def _tells(name: str) -> Any:
    """Whether a run counted any of that name. Most runs of a job that follows a feed find nothing to do."""
    return runs.c.counts.like(f'%"{name}": %') & runs.c.counts.not_like(f'%"{name}": 0%')


def _sum(names: Sequence[str]) -> Any:
    """The sum of some counts; a run whose counts the database cannot read, or add up, adds nothing."""
    valid = func.json_valid(runs.c.counts) == 1
    each = (func.coalesce(func.json_extract(runs.c.counts, literal(f"$.{name}")), 0) for name in names)
    of_run = sum(each, start=literal(0))
    return func.sum(case((valid, case((of_run.between(0, records.MOST), of_run), else_=0)), else_=0))
