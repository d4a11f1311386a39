"""Renaming: what is kept of a job that is gone becomes another job's.

    its runs, 500 at a time    each step is a transaction of its own; what used such a run says so too
    all else                   one transaction at the end: pause, notices, actions, the names of its memories

It may be cut off at any point. What is still the old job's is carried over by the next try. A lease keeps two people
from renaming a job at once. What the task remembers keeps its name, since that name is the task's.
"""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import Connection, delete, select, update

from janitor.errors import BadSetting, JanitorError
from janitor.jobs.job import Job
from janitor.runs import Fence
from janitor.runs.bounds import listed_near
from janitor.state import State, actions, holders, job_records, leases, memories, run_records
from janitor.state.tables import actions as action_table
from janitor.state.tables import jobs as job_table
from janitor.state.tables import notices, run_uses, runs

RUNS = 500
"""So many runs are carried over at once."""


def rename(
    state: State, jobs: Mapping[str, Job], old: str, new: str, actor: str, now: datetime, lease_seconds: float
) -> int:
    """Give the history, pause, notices and memories of a job that is gone to another job; how many runs those are.

    Of a slot that both jobs have, the new job's run stands for it. It is remembered with who did it.

    Raises:
        BadSetting: `new` is no job, or `old` is still a job, or nothing is kept of it.
        JanitorError: a run of the old job goes on, or the daemon that leads still has that job.
    """
    fence = _begin(state, jobs, old, new, lease_seconds)
    carried = 0
    while count := _carry_runs(state, fence, old, new, lease_seconds):
        carried += count
    with state.begin(fence) as connection:
        _carry_record(connection, old, new)
        _carry_notices(connection, old, new, now)
        memories.hand_over(connection, old, new)
        connection.execute(update(action_table).where(action_table.c.job == old).values(job=new))
        actions.record(connection, actor, actions.RENAMED, new, f"{actions.WAS}{old}", now)
        leases.release(connection, fence)
    return carried


def _begin(state: State, jobs: Mapping[str, Job], old: str, new: str, lease_seconds: float) -> Fence:
    """The lease of the old job, once it is sure that the job may be renamed."""
    if new not in jobs:
        raise BadSetting("NEW", new, f"there is no such job; the jobs are {listed_near(new, jobs)}")
    if old in jobs:
        raise BadSetting("OLD", old, "it is still a job: first change its id where the job is made, then rename")
    with state.begin() as connection:
        known, at = job_records.all_jobs(connection).get(old), state.now(connection)
        if known is None and not job_records.is_on_record(connection, old):
            newer = actions.new_id(connection, old)
            said = f", which was renamed: it is called {newer} now" if newer else ""
            raise BadSetting("OLD", old, f"nothing is kept of a job with this id{said}")
        leader = leases.holder_of(connection, leases.DAEMON)
        if known is not None and known.enabled and leader in leases.live_holders(connection, at):
            raise JanitorError(f"the daemon that leads still has the job {old}: restart it first, then rename")
        fence = leases.acquire(connection, leases.job_lease(old), holders.new_holder(), at, lease_seconds)
        running = run_records.running(connection, old)
        if fence is None or running is not None:
            which = f" (run {running.id})" if running is not None else ""
            raise JanitorError(f"{old} is running{which}, or is being renamed: try again once that has ended")
    return fence


def _carry_runs(state: State, fence: Fence, old: str, new: str, lease_seconds: float) -> int:
    """Carry some runs over; how many."""
    with state.begin(fence) as connection:
        leases.renew(connection, [fence], state.now(connection), lease_seconds)
        some = select(runs.c.id, runs.c.slot_at).where(runs.c.job == old).order_by(runs.c.id).limit(RUNS)
        slots = {row.id: row.slot_at for row in connection.execute(some)}
        if not slots:
            return 0
        of_new = select(runs.c.slot_at).where(runs.c.job == new, runs.c.slot_at.in_([*filter(None, slots.values())]))
        taken = set(connection.execute(of_new).scalars())
        twice = [run_id for run_id, slot in slots.items() if slot in taken]
        connection.execute(update(runs).where(runs.c.id.in_(twice)).values(slot_at=None, slot_until_at=None, slots=0))
        connection.execute(update(runs).where(runs.c.id.in_(list(slots))).values(job=new))
        _carry_uses(connection, list(slots), old, new)
    return len(slots)


def _carry_uses(connection: Connection, ids: list[int], old: str, new: str) -> None:
    """Let the runs that used these runs tell the new name; a run that used both jobs keeps what it tells."""
    used = run_uses.c
    users = set(connection.execute(select(used.run_id).where(used.used_id.in_(ids), used.dependency == old)).scalars())
    both = select(used.run_id).where(used.run_id.in_(list(users)), used.dependency == new)
    wanted = sorted(users - set(connection.execute(both).scalars()))
    connection.execute(update(run_uses).where(used.run_id.in_(wanted), used.dependency == old).values(dependency=new))


def _carry_record(connection: Connection, old: str, new: str) -> None:
    """Let the new job have the old job's record, or its pause if the new job has a record already."""
    known = job_records.all_jobs(connection)
    if old not in known:
        return
    if new not in known:
        connection.execute(update(job_table).where(job_table.c.id == old).values(id=new))
        return
    if known[old].paused_at is not None and known[new].paused_at is None:
        pause = {"paused_at": known[old].paused_at, "paused_by": known[old].paused_by}
        connection.execute(update(job_table).where(job_table.c.id == new).values(pause))
    connection.execute(delete(job_table).where(job_table.c.id == old))


def _carry_notices(connection: Connection, old: str, new: str, now: datetime) -> None:
    """Let the new job have the old job's notices; what both tell is told once."""
    still_open = notices.c.ended_at.is_(None)
    told = set(connection.execute(select(notices.c.rule).where(notices.c.job == new, still_open)).scalars())
    twice = (notices.c.job == old) & still_open & notices.c.rule.in_(list(told))
    connection.execute(update(notices).where(twice).values(ended_at=now))
    connection.execute(update(notices).where(notices.c.job == old).values(job=new))
