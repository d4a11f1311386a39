"""Restoring: after a backup was restored no id comes twice, nothing is falsely missed, and nobody is falsely told.

Given: a state database as it was at a backup: a run went on, a notice waited to be told, a job had run at noon.
What happens: a restore is noted, with or without a memo.
What must hold: what `restoring.py` says, once.
"""

from datetime import timedelta

import pytest
from sqlalchemy import select

from janitor.engine import restoring
from janitor.engine.catching_up import accounted_until
from janitor.engine.memos import Memo
from janitor.engine.runner import Runner
from janitor.errors import Fenced
from janitor.runs import Fence
from janitor.state import (
    actions,
    cursors,
    deliveries,
    identity,
    job_records,
    leases,
    notices,
    recent,
    run_records,
    watched,
)
from janitor.state.identity import Identity
from janitor.state.tables import deliveries as delivery_table
from janitor.state.watched import Watched
from tests.small_engine import job_of, nothing, now, remember, remember_run, rows_of

HOUR, SECOND = timedelta(hours=1), timedelta(seconds=1)
NOW = now().replace(microsecond=0)
BACKUP, STOPPED = NOW - 30 * HOUR, NOW - HOUR


@pytest.fixture
def backup(runner: Runner) -> Identity:
    """The state database at the backup, in which run 2 goes on."""
    job = job_of(nothing)
    remember(runner.state, "task", BACKUP - 9 * HOUR, schedule=job.identity)
    remember_run(runner.state, "task", BACKUP - HOUR, id=1)
    remember_run(runner.state, "task", BACKUP, None, id=2)
    with runner.state.begin() as connection:
        notice = notices.begin(connection, "failed", "task", "it failed", 1, BACKUP)
        deliveries.add(connection, notice, "email", deliveries.BEGAN, "{}", BACKUP)
        watched.save(connection, Watched(0, ended=frozenset({1})), BACKUP)
        leases.acquire(connection, "job:task", "gone", BACKUP, 30)
        return identity.ensure(connection, BACKUP)


def noted(runner: Runner, found: Identity, memo: Memo | None) -> Identity:
    with runner.state.begin() as connection:
        left = restoring.note(connection, found, memo, "anna", NOW)
        assert restoring.note(connection, found, memo, "anna", NOW) is None
        made = identity.load(connection)
    assert left is not None and made is not None and (left.id, left.age) == (made.id, made.age)
    return made


def begun(runner: Runner) -> int:
    """The id of a run that begins now."""
    with runner.state.begin() as connection:
        return run_records.start(connection, "task", run_records.BY_HAND, None, NOW, False, runner.holder)


def at_least(runner: Runner, id: int) -> int:
    """The id that comes next; the server's table has counted higher, in other tests."""
    if runner.state.engine.dialect.name == "sqlite":
        return id
    with runner.state.begin() as connection:
        newest = recent.newest_id(connection)
    assert newest >= id
    return newest


def test_new_runs_get_ids_above_all_lost_ones(runner: Runner, backup: Identity) -> None:
    noted(runner, backup, Memo(backup.id, 1, 70, STOPPED, 123_456))
    first = begun(runner)
    assert first == at_least(runner, 140_001) and begun(runner) == first + 1
    assert [row.id for row in rows_of(runner.state)] == [1, 2, first, first + 1]


def test_without_a_memo_the_lost_runs_are_estimated(runner: Runner, backup: Identity) -> None:
    # In the day before the backup there were 999,999 runs, and the backup is 30 hours old.
    remember_run(runner.state, "other", BACKUP, id=1_000_000)
    noted(runner, backup, None)
    assert begun(runner) == at_least(runner, 1_000_000 + 10_000 + int(2 * 999_999 * 30 / 24) + 1)


def test_two_restores_of_one_backup_give_no_id_and_no_age_twice(runner: Runner, backup: Identity) -> None:
    # Given a backup that is restored twice on new machines, which have no memo. After the first restore a run a second
    # begins, and ten beats a second come. What must hold: ids and beats of the second restore are above all of these.
    floors, ages = list[int](), list[tuple[int, int]]()
    for at in (NOW, NOW + HOUR):
        with runner.state.begin() as connection, connection.begin_nested() as undone:
            left = restoring.note(connection, backup, None, "anna", at)
            assert left is not None
            floors.append(left.newest_run)
            ages.append(left.age)
            undone.rollback()
    assert floors[1] >= floors[0] + 3_600 and ages[1] >= (2, ages[0][1] + 36_000)


def test_runs_of_the_backup_end_and_nobody_is_told(runner: Runner, backup: Identity) -> None:
    noted(runner, backup, None)
    row = rows_of(runner.state)[1]
    assert row.outcome == "interrupted"
    assert row.reason == f"how it ended is not known: the state database was restored from a backup of {BACKUP:{FORM}}"
    with runner.state.read() as connection:
        looked_at = watched.load(connection)
        assert looked_at is not None and looked_at.has_seen(1) and looked_at.has_seen(2)
        assert not looked_at.has_seen(118_001)
        assert connection.execute(select(delivery_table)).all() == []
        (still,) = notices.still_open(connection)
    assert still.told_at == NOW


FORM = "%Y-%m-%d %H:%M:%S UTC"


def test_slots_of_the_lost_time_are_not_owed(runner: Runner, backup: Identity) -> None:
    noted(runner, backup, Memo(backup.id, 1, 70, STOPPED, 9))
    with runner.state.read() as connection:
        record = job_records.all_jobs(connection)["task"]
    assert accounted_until(job_of(nothing), record, BACKUP, NOW) == STOPPED


def test_a_job_enabled_after_the_memo_stays_so(runner: Runner, backup: Identity) -> None:
    remember(runner.state, "late", STOPPED + SECOND)
    noted(runner, backup, Memo(backup.id, 1, 70, STOPPED, 9))
    with runner.state.read() as connection:
        assert job_records.all_jobs(connection)["late"].enabled_at == STOPPED + SECOND


def test_whoever_held_a_lease_writes_nothing_more(runner: Runner, backup: Identity) -> None:
    noted(runner, backup, None)
    # After the backup the lease was taken half a million times: by then its token was so much higher.
    for fence in (Fence("job:task", 1), Fence("job:task", 2), Fence("job:task", 500_000), *runner.lead.fences):
        with pytest.raises(Fenced), runner.state.begin(fence):
            pass
    with runner.state.begin() as connection:
        taken = leases.acquire(connection, "job:task", runner.holder, NOW, 30)
    assert taken is not None and taken.token > 500_000


def test_the_audit_has_the_restore_in_words(runner: Runner, backup: Identity) -> None:
    made = noted(runner, backup, Memo(backup.id, 1, 70, STOPPED, 9))
    with runner.state.read() as connection:
        (action,) = actions.listing(connection)
    assert (action.actor, action.action, action.detail) == ("anna", "restored", restoring.sentence(made))
    assert f"between {BACKUP:{FORM}} and {STOPPED:{FORM}} is lost" in action.detail


def test_a_backup_that_holds_all_loses_nothing(runner: Runner, backup: Identity) -> None:
    made = noted(runner, backup, Memo(backup.id, *backup.age, backup.beat_at, 2))
    assert restoring.sentence(made).endswith("which holds all that the last daemon knew: nothing is lost")
    with runner.state.begin() as connection:
        cursors.save(connection, "feed", "x", BACKUP - HOUR, 1)
        found = cursors.saved(connection, "feed")
    assert found is not None and found.lost_until is None


def test_a_state_database_that_was_never_restored_has_nothing_to_say(backup: Identity) -> None:
    assert restoring.sentence(backup) == ""


def test_a_database_without_jobs_and_notices_is_noted_too(runner: Runner) -> None:
    with runner.state.begin() as connection:
        found = identity.ensure(connection, BACKUP)
    noted(runner, found, None)
    with runner.state.read() as connection:
        assert watched.load(connection) is None
    assert begun(runner) >= at_least(runner, 10_001 + 30 * 3_600)
