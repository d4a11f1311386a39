"""Renaming a job: what is kept of it becomes the new job's, once, also if the rename was cut off."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import URL, insert, select, update

from janitor.errors import BadSetting, JanitorError
from janitor.jobs import Job
from janitor.operations import renaming
from janitor.state import State, actions, holders, job_records, leases, memories, quarantine
from janitor.state.quarantine import Quarantined
from janitor.state.tables import notices, run_uses, runs
from tests.small_engine import job_of, migrated, nothing, now, remember_run, rows_of

HOUR = timedelta(hours=1)
NOON = now().replace(hour=12, minute=0, second=0, microsecond=0)
JOBS: dict[str, Job] = {name: job_of(nothing, id=name) for name in ("new", "user")}
EVERY_HOUR = {"new": (JOBS["new"].identity, True)}


@pytest.fixture
def state(database_url: URL) -> Iterator[State]:
    made = migrated(database_url)
    yield made
    made.close()


def rename(state: State, old: str = "old", new: str = "new") -> int:
    return renaming.rename(state, JOBS, old, new, "anna", NOON, 30.0)


def known(state: State, schedules: dict[str, tuple[str, bool]]) -> None:
    with state.begin() as connection:
        job_records.remember(connection, schedules, NOON - 9 * HOUR)


def rows(state: State, *query: Any) -> list[Any]:
    with state.read() as connection:
        return [tuple(row) for row in connection.execute(select(*query).order_by(*query))]


def test_all_that_is_kept_of_a_job_is_the_new_job_s(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    # Given a job that is gone: paused, with five runs, one of them used, an open notice, and rows of its task.
    # What happens: it is renamed, two runs at a time. What must hold: all of this is the new job's, and told.
    monkeypatch.setattr(renaming, "RUNS", 2)
    known(state, {"old": ("every 1h", True)})
    for hour in range(5):
        remember_run(state, "old", NOON - hour * HOUR)
    remember_run(state, "other", NOON)
    first = rows_of(state)[0].id
    with state.begin() as connection:
        job_records.pause(connection, "old", "every 1h", NOON, "berta")
        actions.record(connection, "berta", "paused", "old", "", NOON)
        connection.execute(insert(run_uses), {"run_id": first + 5, "dependency": "old", "used_id": first})
        told = {"rule": "failed", "job": "old", "text": "it failed", "began_at": NOON, "told_at": NOON}
        connection.execute(insert(notices), told)
        memories.remember(connection, "old", "task")
        quarantine.put(connection, "old", [Quarantined("DN1", "no user")], NOON, first)
    assert rename(state) == 5
    assert [row.job for row in rows_of(state)] == ["new"] * 5 + ["other"]
    assert rows(state, run_uses.c.dependency) == [("new",)]
    assert rows(state, notices.c.job, notices.c.ended_at) == [("new", None)]
    with state.read() as connection:
        (record,) = job_records.all_jobs(connection).values()
        assert memories.names_of(connection, "new") == ["new", "old", "task"]
        done = [(row.actor, row.action, row.job, row.detail) for row in actions.listing(connection)]
        assert quarantine.sizes(connection) == {"old": 1}, "its name is the task's"
    assert (record.id, record.paused_by, record.enabled_at) == ("new", "berta", NOON - 9 * HOUR)
    assert done == [("anna", "renamed", "new", "it was old"), ("berta", "paused", "new", "")]


def test_a_job_that_has_run_under_both_names_keeps_each_slot_once(state: State) -> None:
    # Given both names on record, with one slot in common, one rule told of both, and the old name paused.
    # What must hold: the new name's run stands for the slot, its notice goes on, and it is paused.
    known(state, {"old": ("every 1h", True), "new": ("every 1h", True)})
    for job, hour in (("old", 2), ("old", 1), ("new", 1), ("new", 0)):
        remember_run(state, job, NOON - hour * HOUR)
    told = {"rule": "overdue", "text": "it is overdue", "began_at": NOON, "told_at": NOON}
    with state.begin() as connection:
        job_records.pause(connection, "old", "every 1h", NOON, "berta")
        connection.execute(insert(notices), [{**told, "job": job} for job in ("old", "new")])
    assert rename(state) == 2
    slots = [(row.job, row.slot_at, row.slots) for row in rows_of(state)]
    assert slots == [("new", NOON - 2 * HOUR, 1), ("new", None, 0), ("new", NOON - HOUR, 1), ("new", NOON, 1)]
    assert sorted(row[1] is None for row in rows(state, notices.c.job, notices.c.ended_at)) == [False, True]
    with state.read() as connection:
        (record,) = job_records.all_jobs(connection).values()
    assert (record.id, record.paused_by) == ("new", "berta")


def test_a_job_that_is_renamed_back_has_all_again(state: State) -> None:
    known(state, {"old": ("every 1h", True)})
    remember_run(state, "old", NOON)
    with state.begin() as connection:
        memories.remember(connection, "old", "task")
        quarantine.put(connection, "old", [Quarantined("DN1", "no user")], NOON, 1)
    assert rename(state) == 1
    known(state, {"old": ("every 1h", True)})
    jobs = {"old": job_of(nothing, id="old")}
    assert renaming.rename(state, jobs, "new", "old", "anna", NOON, 30.0) == 1
    assert [row.job for row in rows_of(state)] == ["old"]
    with state.read() as connection:
        assert list(job_records.all_jobs(connection)) == ["old"]
        assert memories.names_of(connection, "old") == ["old", "task"] and not memories.is_in_use(connection, "new")
        assert actions.new_id(connection, "old") is None and actions.new_id(connection, "new") == "old"
        assert memories.owners(connection, jobs) == {"old": "old", "task": "old"}


def test_a_rename_that_was_cut_off_is_finished_by_the_next(state: State) -> None:
    # Given a rename that has carried one run over, and whose process still holds the old job's lease.
    # What must hold: no other renames beside it; once the lease is free, the next carries the rest over.
    known(state, {"old": ("every 1h", True)})
    for hour in range(3):
        remember_run(state, "old", NOON - hour * HOUR)
    with state.begin() as connection:
        holder = holders.new_holder()
        fence = leases.acquire(connection, leases.job_lease("old"), holder, state.now(connection), 30.0)
        first = select(runs.c.id).order_by(runs.c.id).limit(1)
        connection.execute(update(runs).where(runs.c.id == connection.execute(first).scalar()).values(job="new"))
    assert fence is not None
    with pytest.raises(JanitorError, match="old is running, or is being renamed: try again once that has ended"):
        rename(state)
    with state.begin() as connection:
        leases.release(connection, fence)
    assert rename(state) == 2
    assert [row.job for row in rows_of(state)] == ["new"] * 3
    with pytest.raises(BadSetting, match="OLD is 'old': nothing is kept of a job with this id"):
        rename(state)


def test_what_cannot_be_renamed_is_refused(state: State) -> None:
    with pytest.raises(BadSetting, match="NEW is 'nwe': there is no such job; the jobs are new, user"):
        rename(state, new="nwe")
    with pytest.raises(BadSetting, match="OLD is 'user': it is still a job: first change its id where the job is made"):
        rename(state, old="user")
    remember_run(state, "old", NOON, None)
    with pytest.raises(JanitorError, match=r"old is running \(run \d+\), or is being renamed"):
        rename(state)
    assert [row.job for row in rows_of(state)] == ["old"]


def test_a_job_that_the_leader_still_has_is_not_renamed(state: State) -> None:
    known(state, {"old": ("every 1h", True)})
    with state.begin() as connection:
        at = state.now(connection)
        lead = leases.acquire(connection, leases.DAEMON, "elsewhere 1 2 3", at, 30.0)
    with pytest.raises(JanitorError, match="the daemon that leads still has the job old: restart it first"):
        rename(state)
    known(state, EVERY_HOUR)
    assert lead is not None and rename(state) == 0
