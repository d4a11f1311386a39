"""What people do to jobs, runs and quarantined rows; each action is remembered with who did it, and when."""

from collections.abc import Sequence
from datetime import datetime

from janitor.engine.daemon import Daemon
from janitor.errors import BadSetting, JanitorError
from janitor.jobs.job import Job
from janitor.state import State, actions, job_records, quarantine, refusals, run_records


def pause(state: State, job: Job, actor: str, now: datetime) -> bool:
    """Let no further slot of a job run, until it is resumed; False if it was paused already."""
    with state.begin() as connection:
        done = job_records.pause(connection, job.id, job.identity, now, actor)
        if done:
            actions.record(connection, actor, "paused", job.id, "", now)
    return done


def resume(state: State, job: str, actor: str, now: datetime) -> bool:
    """Let the slots of a paused job run again, by its id; the job may be gone. False if it was not paused."""
    with state.begin() as connection:
        done = job_records.resume(connection, job)
        if done:
            actions.record(connection, actor, "resumed", job, "", now)
    return done


def run_now(
    daemon: Daemon, state: State, job: Job, dry_run: bool, actor: str, now: datetime, confirmed: str = ""
) -> int:
    """Begin a run of a job in this daemon, and return the run's id.

    A protected job needs its own id as `confirmed`.

    Raises:
        BadSetting: the job is protected, and `confirmed` is not its id.
        Skip: the job is running already.
        JanitorError: the run could not begin; the error says why.
    """
    if job.protect and confirmed != job.id:
        raise BadSetting("confirm", confirmed or None, f"{job.id} is protected: give its id to run it")
    run_id = daemon.run_now(job, dry_run)
    with state.begin() as connection:
        actions.record(connection, actor, "dry run" if dry_run else "run", job.id, f"run {run_id}", now)
    return run_id


def cancel(state: State, run_id: int, actor: str, now: datetime) -> bool:
    """Ask a run to stop at its next safe point, in this process or another; False if somebody has asked already.

    Raises:
        BadSetting: there is no such run.
        JanitorError: the run has ended.
    """
    with state.begin() as connection:
        row = run_records.get(connection, run_id)
        if row is None:
            raise BadSetting("RUN", run_id, "give the id of a run, as the history lists them")
        if row.outcome is not None:
            raise JanitorError(f"run {run_id} of {row.job} has ended: {row.outcome.replace('_', ' ')}")
        done = run_records.ask_to_stop(connection, run_id, actor)
        if done:
            actions.record(connection, actor, "cancelled", row.job, f"run {run_id}", now)
    return done


def retry(state: State, job: str, key: str | None, actor: str, now: datetime, names: Sequence[str] = ()) -> int:
    """Let the next runs look at quarantined rows first, and return how many: those of `key`, or all if it is None.

    `names` are the quarantines that the job's task has; without them it is the quarantine with the job's id. What a
    broker has refused is tried at once, whether it waits in quarantine already or not.
    """
    count = 0
    with state.begin() as connection:
        for name in names or (job,):
            looked_at, held_back = quarantine.look_first(connection, name, key), refusals.try_now(connection, name, key)
            count += max(looked_at, held_back)
        if count:
            what = "all of its quarantine" if key is None else key
            actions.record(connection, actor, "retried", job, what, now)
    return count


def drop(state: State, job: str, key: str, note: str, actor: str, now: datetime, names: Sequence[str] = ()) -> int:
    """Give quarantined rows up, with a note that says why, and return how many.

    `names` are the quarantines that the job's task has; without them it is the quarantine with the job's id. They count
    no more. A row comes back when it is refused for another reason.

    Raises:
        BadSetting: the note is empty.
    """
    if not note.strip():
        raise BadSetting("the note", note, "say why these rows may be given up")
    count = 0
    with state.begin() as connection:
        for name in names or (job,):
            count += quarantine.drop(connection, name, key, actor, note.strip(), now)
            refusals.give_up(connection, name, key)
        if count:
            actions.record(connection, actor, "dropped", job, f"{key}: {note.strip()}", now)
    return count


def note(state: State, actor: str, action: str, detail: str, now: datetime) -> None:
    """Remember what somebody did, or was refused, apart from any job: signing in, for example."""
    with state.begin() as connection:
        actions.record(connection, actor, action, None, detail, now)
