"""A job's cursor, as a person reads and sets it."""

from datetime import datetime
from typing import Any

from janitor.errors import BadSetting, JanitorError
from janitor.feeds.position import describe, position_after
from janitor.state import State, actions, cursors, holders, leases, run_records

START = "start"


def read(state: State, job: str) -> dict[str, Any] | None:
    """How far the job has read its feed; None before its first run."""
    with state.read() as connection:
        position = cursors.load(connection, job)
    return None if position is None else {"job": job, **_described(position)}


def sentence(job: str, found: dict[str, Any] | None) -> str:
    """What `read` found, for people."""
    if found is None:
        return f"{job} has no cursor: its next run begins anew"
    if "top" not in found:
        return f"{job} has a cursor of its own kind"
    snapshot = found.get("snapshot_after")
    return (
        f"{job} has read its feed up to id {found['top']}: all up to {found['settled']} is settled, and of the ids "
        f"above that {found['taken_above']} are done, while {found['gaps']} that are not there may still come"
        f"{'' if snapshot is None else f'; its snapshot goes on after key {snapshot}'}"
    )


def move(state: State, job: str, value: str, actor: str, now: datetime, lease_seconds: float) -> None:
    """Let the job go on after the id `value`, or begin anew if that is `start`; remembered with who did it.

    Raises:
        BadSetting: the value is neither, or the job has no cursor yet, or follows no ids.
        JanitorError: the job is running, and would overwrite the cursor.
    """
    position = None if value == START else position_after(value, "--set")
    with state.begin() as connection:
        # All is one transaction, so nobody can take the lease or write the cursor in between.
        fence = leases.acquire(
            connection, leases.job_lease(job), holders.new_holder(), state.now(connection), lease_seconds
        )
        if fence is None:
            other = run_records.running(connection, job)
            which = f" (run {other.id})" if other else ""
            raise JanitorError(f"{job} is running{which}: set its cursor once it has ended, or pause it first")
        before = cursors.load(connection, job)
        if before is None:
            raise BadSetting("JOB", job, "it has no cursor; a job that follows a feed has one after its first run")
        at = _described(before).get("top", "a place of its own kind")
        if position is None:
            cursors.forget(connection, job)
        elif not isinstance(at, int):
            raise BadSetting("--set", value, f"{job} does not follow ids: only 'start' lets it begin anew")
        else:
            cursors.save(connection, job, position, now, 0)
        detail = f"{value}; it was at {at}"
        actions.record(connection, actor, "cursor set", job, detail, now)
        leases.release(connection, fence)


def _described(position: str) -> dict[str, Any]:
    """A position of a feed for people; nothing of a position of another kind."""
    try:
        return describe(position)
    except (ValueError, LookupError, TypeError):
        return {}
