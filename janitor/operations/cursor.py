"""A job's cursor, as a person reads and sets it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from janitor.errors import BadSetting, JanitorError
from janitor.feeds.position import describe, position_after
from janitor.runs import Fence
from janitor.state import State, actions, cursors, holders, leases, run_records

START = "start"


def names(state: State, wanted: Sequence[str]) -> list[str]:
    """Those of some names under which a cursor is kept."""
    with state.read() as connection:
        return [name for name in wanted if cursors.load(connection, name) is not None]


def read(state: State, job: str, name: str | None = None) -> dict[str, Any] | None:
    """How far the job has read its feed; None before its first run. `name` is the cursor's, the job's id by default."""
    with state.read() as connection:
        position = cursors.load(connection, name or job)
    return None if position is None else {"job": job, **_described(position)}


def told(name: str, position: str) -> str:
    """A position, for people."""
    return sentence(name, {"job": name, **_described(position)})


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


def move(
    state: State, job: str, value: str, actor: str, now: datetime, lease_seconds: float, name: str | None = None
) -> None:
    """Let the job go on after the id `value`, or begin anew if that is `start`; remembered with who did it.

    `name` is the cursor's; without it, the cursor has the job's id.

    Raises:
        BadSetting: the value is neither, or the job has no cursor yet, or follows no ids.
        JanitorError: the job is running, or the job that last saved the cursor: it would overwrite the cursor.
    """
    name = name or job
    position = None if value == START else position_after(value, "--set")
    with state.begin() as connection:
        # All is one transaction, so nobody can take a lease or write the cursor in between.
        now_there = state.now(connection)
        fences = [_alone(connection, one, now_there, lease_seconds) for one in _writers(connection, job, name)]
        before = cursors.load(connection, name)
        if before is None:
            raise BadSetting("JOB", job, "it has no cursor; a job that follows a feed has one after its first run")
        at = _described(before).get("top", "a place of its own kind")
        if position is None:
            cursors.forget(connection, name)
        elif not isinstance(at, int):
            raise BadSetting("--set", value, f"{job} does not follow ids: only 'start' lets it begin anew")
        else:
            cursors.save(connection, name, position, now, 0)
        actions.record(connection, actor, "cursor set", job, f"{value}; it was at {at}", now)
        for fence in fences:
            leases.release(connection, fence)


def _writers(connection: Connection, job: str, name: str) -> list[str]:
    """The jobs whose run could overwrite a cursor: the job that is meant, and the job that saved it last."""
    last = run_records.get(connection, cursors.saved_by(connection, name))
    return sorted({job} if last is None else {job, last.job})


def _alone(connection: Connection, job: str, now: datetime, lease_seconds: float) -> Fence:
    fence = leases.acquire(connection, leases.job_lease(job), holders.new_holder(), now, lease_seconds)
    if fence is None:
        other = run_records.running(connection, job)
        which = f" (run {other.id})" if other else ""
        raise JanitorError(f"{job} is running{which}: set its cursor once it has ended, or pause it first")
    return fence


def _described(position: str) -> dict[str, Any]:
    """A position of a feed for people; nothing of a position of another kind."""
    try:
        return describe(position)
    except (ValueError, LookupError, TypeError):
        return {}
