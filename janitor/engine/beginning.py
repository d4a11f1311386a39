"""Beginning a run."""

from collections.abc import Mapping

from sqlalchemy import Connection

from janitor.errors import BadSetting, Skip
from janitor.jobs import dependencies
from janitor.jobs.job import Job
from janitor.runs import Outcome
from janitor.state import builds, run_records


def uses_of(connection: Connection, job: Job, pins: Mapping[str, int], *, by_itself: bool) -> dict[str, int]:
    """Which run of each dependency a run that begins now uses.

    Raises:
        NotReady: a dependency has not succeeded yet.
        BadSetting: a pin names no dependency, or no run of it that succeeded.
        Skip: it was to run `by_itself`, and its dependencies have nothing newer.
    """
    standings = builds.standings(connection, [job.id, *job.dependencies])
    if by_itself and not dependencies.due(job, standings):
        raise Skip("its dependencies have nothing newer")
    for name, run_id in pins.items():
        pin, row = f"{name}={run_id}", run_records.get(connection, run_id)
        if name not in job.dependencies:
            known = ", ".join(job.dependencies) or "none"
            raise BadSetting("--pin", pin, f"{name} is no dependency of {job.id}; its dependencies are: {known}")
        if row is None or row.job != name or row.outcome != Outcome.SUCCEEDED or row.dry_run:
            said = f"run {run_id} is no run of {name} that succeeded; `history {name}` lists them"
            raise BadSetting("--pin", pin, said)
    return dependencies.used_now(job, standings, pins)
