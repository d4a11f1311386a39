"""The newest runs of each job, found by an index, however long the history is.

One statement asks for many jobs: a `UNION ALL` of one small query for each job, which reads a few rows from the end of
an index. A query for all jobs at once could read the whole history.
"""

import functools
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, bindparam, func, select, union_all

from janitor.runs import Outcome
from janitor.state.run_records import BY_HAND
from janitor.state.seeks import along, earlier
from janitor.state.tables import actions
from janitor.state.tables import jobs as jobs_table
from janitor.state.tables import runs

TOGETHER = 50
"""One statement asks for so many jobs: SQLAlchemy takes longer to make a larger one than a server to answer two."""
CUT = 1_000
"""So many characters of a reason are read for a list."""

BAR: tuple[Any, ...] = tuple(
    runs.c[name]
    for name in ("id", "job", "outcome", "started_at", "ended_at", "seconds", "slots", "dry_run", "attempts")
)
"""The columns of a run in a strip of many."""
ENDS: tuple[Any, ...] = tuple(runs.c[name] for name in ("id", "job", "outcome", "attempts", "dry_run"))
"""The columns of a run that tell how it ended."""
LAST: tuple[Any, ...] = tuple(runs.c[name] for name in ("id", "job", "outcome", "reason", "started_at", "ended_at"))
"""The columns of a job's newest run in a list of jobs."""
LONG = ("progress", "traceback", "reason", "holder")
LINE: tuple[Any, ...] = (
    *(column for column in runs.c if column.name not in LONG),
    func.substr(runs.c.reason, 1, CUT).label("reason"),
)
"""The columns of a run in a list, with the beginning of its reason."""

COMPLETED = (Outcome.SUCCEEDED, Outcome.FAILED, Outcome.TIMED_OUT)
"""The outcomes of runs that nobody stopped from outside."""

_LAST_ENDED = (
    select(runs.c.id)
    .where(runs.c.job == jobs_table.c.id, runs.c.outcome == bindparam("b_outcome"), runs.c.dry_run.is_(False))
    .order_by(runs.c.id.desc())
    .limit(1)
    .scalar_subquery()
    .correlate(jobs_table)
)
# The first of an order and not the greatest: MariaDB would read each success of a job for that.
_SUCCESS = (
    select(runs.c.id)
    .where(runs.c.job == jobs_table.c.id, runs.c.outcome == Outcome.SUCCEEDED.value, runs.c.dry_run.is_(False))
    .order_by(runs.c.id.desc())
    .limit(1)
    .scalar_subquery()
    .correlate(jobs_table)
)
_FOUND_NOTHING = (
    select(runs.c.ended_at)
    .where(runs.c.job == jobs_table.c.id, runs.c.outcome == Outcome.SKIPPED.value, runs.c.dry_run.is_(False))
    # A slot without a run has no attempts: the last run went on, or the job was paused.
    .where(runs.c.attempts > 0, runs.c.id > func.coalesce(_SUCCESS, 0))
    .order_by(runs.c.id.desc())
    .limit(1)
    .scalar_subquery()
    .correlate(jobs_table)
)
_IDLE = select(jobs_table.c.id, _FOUND_NOTHING.label("at")).where(jobs_table.c.paused_at.is_(None))
_LAST_IDS = select(_LAST_ENDED.label("id")).select_from(jobs_table).subquery("last")
_LAST_COLUMNS: tuple[Any, ...] = (
    runs.c.id,
    runs.c.job,
    runs.c.outcome,
    runs.c.started_at,
    runs.c.ended_at,
    runs.c.seconds,
)
_LAST_ROWS = select(*_LAST_COLUMNS).select_from(_LAST_IDS.join(runs, runs.c.id == _LAST_IDS.c.id))


def _newest_by(index: str, *conditions: Any) -> Any:
    """The id of a job's newest run that fits, read from an index alone; the job is that of `jobs_table`."""
    query = along(index, runs, select(runs.c.id).where(runs.c.job == jobs_table.c.id, *conditions))
    return query.order_by(runs.c.id.desc()).limit(1).scalar_subquery().correlate(jobs_table)


_LATEST = select(
    jobs_table.c.id,
    _newest_by("runs_of_job").label("newest"),
    *(
        _newest_by("runs_by_outcome", runs.c.outcome == outcome.value).label(outcome.value)
        for outcome in (Outcome.FAILED, Outcome.TIMED_OUT)
    ),
)
_RESUMED = (
    select(actions.c.job, func.max(actions.c.at, type_=actions.c.at.type))
    .where(actions.c.action == "resumed", actions.c.job.is_not(None))
    .group_by(actions.c.job)
)


def newest(connection: Connection, jobs: Sequence[str], limit: int) -> dict[str, list[Row[Any]]]:
    """Up to `limit` of the newest records of each job, the newest first; their columns are `BAR`."""
    found: dict[str, list[Row[Any]]] = {}
    for row in _of_each(connection, jobs, "any", limit=limit):
        found.setdefault(row.job, []).append(row)
    return found


def ends(connection: Connection, jobs: Sequence[str], limit: int) -> dict[str, list[Row[Any]]]:
    """As `newest`, with the columns `ENDS`."""
    found: dict[str, list[Row[Any]]] = {}
    for row in _of_each(connection, jobs, "ends", limit=limit):
        found.setdefault(row.job, []).append(row)
    return found


def latest(connection: Connection) -> dict[str, Row[Any]]:
    """The newest runs of each job on record, as ids: `newest` of all, `failed` and `timed_out` with these outcomes.

    An id is None if there is no such run. Dry runs count, too.
    """
    return {row.id: row for row in connection.execute(_LATEST)}


def last_of(connection: Connection, jobs: Sequence[str]) -> dict[str, Row[Any]]:
    """The newest record of each job; its columns are `LAST`."""
    return {row.job: row for row in _of_each(connection, jobs, "last", limit=1)}


def live(connection: Connection) -> Sequence[Row[Any]]:
    """The runs that go on; their columns are `ENDS`."""
    return connection.execute(select(*ENDS).where(runs.c.outcome.is_(None)).order_by(runs.c.id)).all()


def newest_id(connection: Connection) -> int:
    """The highest id of a run; 0 if there is no run."""
    return int(connection.execute(select(func.coalesce(func.max(runs.c.id), 0))).scalar_one())


def changed(connection: Connection, after: int, live: Sequence[int]) -> Sequence[Row[Any]]:
    """The runs with an id above `after`, and the runs in `live`, in the order of ids; their columns are `ENDS`."""
    # Sorted here: for a database it would be an order along all ids.
    found = connection.execute(select(*ENDS).where((runs.c.id > after) | runs.c.id.in_(live))).all()
    return sorted(found, key=lambda row: int(row.id))


def with_outcome(
    connection: Connection, jobs: Sequence[str], outcome: str, limit: int, **bounds: Any
) -> Sequence[Row[Any]]:
    """The newest runs with an outcome, of all these jobs together, the newest first; their columns are `LINE`.

    `bounds` may be `before`, an id above theirs; `since` and `until`, between which they began; and `origin`.
    """
    return _of_all(connection, jobs, "outcome", limit, {"outcome": outcome} | bounds)


def by_hand(connection: Connection, jobs: Sequence[str], limit: int, **bounds: Any) -> Sequence[Row[Any]]:
    """As `with_outcome`, but the runs that people began."""
    return _of_all(connection, jobs, "by_hand", limit, {"origin": BY_HAND} | bounds)


def of_any(
    connection: Connection, job: str | None, limit: int, ids: Sequence[int] | None = None, **bounds: Any
) -> Sequence[Row[Any]]:
    """The newest runs of a job, or of all; of `ids` alone, if given. Columns and bounds are those of `with_outcome`.

    The newest of all between two moments are those that began last: only they are found without the rest.
    """
    given = {name: value for name, value in bounds.items() if value is not None}
    query = select(*LINE).where(*(WITHIN[name] for name in given))
    query = query if job is None else query.where(runs.c.job == job)
    query = query if ids is None else query.where(runs.c.id.in_(ids))
    query = query.order_by(runs.c.id.desc())
    if job is None and ids is None and given.keys() & {"since", "until"}:
        query = _by_start(connection, select(*LINE), given)
    return connection.execute(query.limit(limit), given).all()


def _by_start(connection: Connection, query: Select[Any], given: Mapping[str, Any]) -> Select[Any]:
    """A query of runs by the moment at which they began, the newest first; `before` is the last run of the page before.

    Ids follow these moments, unless a clock was set back.
    """
    query = query.where(*(WITHIN[name] for name in given if name != "before"))
    if "before" in given:
        query = query.where(earlier(connection, runs.c.started_at, runs.c.id, given["before"]))
    return along("runs_by_start", runs, query).order_by(runs.c.started_at.desc(), runs.c.id.desc())


def last_with(connection: Connection, jobs: Sequence[str], outcome: Outcome) -> dict[str, int]:
    """For each job the id of its newest run with this outcome; dry runs and slots without a run do not count."""
    return {
        row.job: row.id for row in _of_each(connection, jobs, "outcome", "outcome", "real", limit=1, outcome=outcome)
    }


def last_ended(connection: Connection, outcomes: Collection[Outcome]) -> dict[str, Row[Any]]:
    """For each job its newest run with one of these outcomes; dry runs do not count.

    The columns are id, job, outcome, started_at, ended_at and seconds.
    """
    found: dict[str, Row[Any]] = {}
    for outcome in outcomes:
        for row in connection.execute(_LAST_ROWS, {"b_outcome": outcome.value}):
            if row.job not in found or found[row.job].id < row.id:
                found[row.job] = row
    return found


def signs_of_life(connection: Connection) -> dict[str, datetime]:
    """For each job the last moment that counts like a success when we ask whether it is overdue.

    It is the moment at which the job was resumed, or at which a run found nothing to do.
    """
    found = {job: at for job, at in connection.execute(_RESUMED)}
    for job, at in connection.execute(_IDLE):
        if at is not None:
            found[job] = max(at, found.get(job, at))
    return found


def _of_all(
    connection: Connection, jobs: Sequence[str], kind: str, limit: int, bounds: Mapping[str, Any]
) -> Sequence[Row[Any]]:
    given = {name: value for name, value in bounds.items() if value is not None}
    if len(jobs) > limit:
        jobs = _with_newest(connection, jobs, kind, limit, given)
    ids = (row.id for row in _of_each(connection, jobs, kind, *given, limit=limit, **given))
    query = select(*LINE).where(runs.c.id.in_(sorted(ids, reverse=True)[:limit])).order_by(runs.c.id.desc())
    return connection.execute(query).all()


def _with_newest(
    connection: Connection, jobs: Sequence[str], kind: str, limit: int, given: Mapping[str, Any]
) -> list[str]:
    """The jobs whose newest runs that fit are the newest, so many: the others have none of the newest of all.

    Jobs that are not on record come too.
    """
    found = {job: newest for job, newest in connection.execute(_newest_of_each(kind, tuple(given)), given)}
    ids = {job: found[job] for job in jobs if found.get(job) is not None}
    return [*sorted(ids, key=lambda job: -ids[job])[:limit], *(job for job in jobs if job not in found)]


@functools.lru_cache(maxsize=64)
def _newest_of_each(kind: str, bounds: tuple[str, ...]) -> Any:
    by_hand = (runs.c.slot_at.is_(None),) if kind == "by_hand" else ()
    newest = _newest_by(INDEXES[kind], *by_hand, *(WITHIN[name] for name in bounds))
    return select(jobs_table.c.id, newest.label("newest"))


def _of_each(connection: Connection, jobs: Sequence[str], kind: str, *bounds: str, **values: Any) -> list[Row[Any]]:
    found: list[Row[Any]] = []
    for start in range(0, len(jobs), TOGETHER):
        chunk = jobs[start : start + TOGETHER]
        names = {f"job_{number}": job for number, job in enumerate(chunk)}
        found += connection.execute(_statement(len(chunk), kind, bounds), names | values).all()
    return found


# Made once for each number of jobs: SQLAlchemy takes longer to make a statement than to execute it.
@functools.lru_cache(maxsize=64)
def _statement(count: int, kind: str, bounds: tuple[str, ...]) -> Any:
    parts = [select(_of_one(number, kind, bounds).subquery(f"of_{number}")) for number in range(count)]
    return union_all(*parts)


def _of_one(number: int, kind: str, bounds: tuple[str, ...]) -> Select[Any]:
    # Both columns of the index are bound, and its order is kept: a few rows are read, however many there are.
    query: Select[Any] = select(*COLUMNS.get(kind, (runs.c.id, runs.c.job)))
    query = query.where(runs.c.job == bindparam(f"job_{number}"))
    query = query.where(*(WITHIN[name] for name in bounds))
    if kind == "by_hand":
        query = query.where(runs.c.slot_at.is_(None))
    if index := INDEXES.get(kind):
        query = along(index, runs, query)
    return query.order_by(runs.c.id.desc()).limit(bindparam("limit"))


COLUMNS = {"any": BAR, "ends": ENDS, "last": LAST}
INDEXES = {"outcome": "runs_by_outcome", "by_hand": "one_outcome_per_slot"}
WITHIN = {
    "outcome": runs.c.outcome == bindparam("outcome"),
    "before": runs.c.id < bindparam("before"),
    "since": runs.c.started_at >= bindparam("since"),
    "until": runs.c.started_at < bindparam("until"),
    "origin": runs.c.origin == bindparam("origin"),
    "real": (runs.c.attempts > 0) & runs.c.dry_run.is_(False),
}
