"""Builds: which runs of its dependencies a run used, and the standings that follow from it."""

from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import Connection, insert, select

from janitor.jobs.standings import Build, Standing
from janitor.runs import Outcome
from janitor.state import recent
from janitor.state.tables import run_uses, runs

TOGETHER = 500
LOOKED_AT = 10
"""So many of a job's newest records are searched for the newest run that counts."""

_USE = insert(run_uses)


def standings(connection: Connection, of: Sequence[str]) -> dict[str, Standing]:
    """The standing of each of these jobs."""
    successes = recent.last_with(connection, of, Outcome.SUCCEEDED)
    skips = recent.last_with(connection, of, Outcome.SKIPPED)
    rows = recent.ends(connection, of, LOOKED_AT)
    real = {job: [row for row in rows.get(job, ()) if row.attempts and not row.dry_run] for job in of}
    newest = {
        job: next((row for row in of_job if row.outcome != Outcome.INTERRUPTED), None) for job, of_job in real.items()
    }
    current = {job: max(successes.get(job, 0), skips.get(job, 0)) for job in of}
    used = uses(connection, {*current.values(), *(row.id for row in newest.values() if row)})
    return {
        job: Standing(
            success=successes.get(job),
            current=Build(current[job], used=used.get(current[job], {})) if current[job] else None,
            newest=Build(row.id, row.outcome, used.get(row.id, {})) if (row := newest[job]) else None,
            running=next((row.id for row in real[job] if row.outcome is None), None),
        )
        for job in of
    }


def add_uses(connection: Connection, run_id: int, used: Mapping[str, int]) -> None:
    """Record the runs of its dependencies, by job, that a run uses."""
    if used:
        connection.execute(
            _USE, [{"run_id": run_id, "dependency": job, "used_id": used_id} for job, used_id in used.items()]
        )


def uses(connection: Connection, run_ids: Iterable[int]) -> dict[int, dict[str, int]]:
    """The runs of their dependencies that these runs used: run id -> job -> run id."""
    wanted, found = sorted(set(run_ids) - {0}), dict[int, dict[str, int]]()
    for start in range(0, len(wanted), TOGETHER):
        query = select(run_uses).where(run_uses.c.run_id.in_(wanted[start : start + TOGETHER]))
        for row in connection.execute(query):
            found.setdefault(row.run_id, {})[row.dependency] = row.used_id
    return found


def used_by(connection: Connection, run_id: int, limit: int = 100) -> list[tuple[int, str]]:
    """The newest runs that used a run, each with its job."""
    query = select(runs.c.id, runs.c.job).join(run_uses, run_uses.c.run_id == runs.c.id)
    query = query.where(run_uses.c.used_id == run_id).order_by(runs.c.id.desc()).limit(limit)
    return [(row.id, row.job) for row in connection.execute(query)]
