"""Leases of runs: renewed while the runs go on, and missed if they cannot be."""

import logging
import sqlite3
import threading
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import URL

from janitor.engine.lease_renewal import LeaseRenewal
from janitor.engine.live import LiveRuns
from janitor.engine.runner import Runner
from janitor.errors import StatementTimeout, Unavailable
from janitor.runs import Fence, current_run
from janitor.state import database, holders, leases
from janitor.state.fences import hold
from tests.engine.keeping import ELSEWHERE, give_away, going_on, kept, lease, until_stopped
from tests.servers import SqlServer
from tests.small_engine import eventually, lines_of, outcomes, rows_of, run_by_hand, runner_for, settings_for


def test_a_third_of_the_time_is_over_before_each_renewal(runner: Runner) -> None:
    # Given the daemon's lease, and a clock that the test sets. The lease lasts 30 s.
    # It is renewed at 0 s, not at 9 s, and again at 11 s.
    clock = [0.0]
    renewal = LeaseRenewal(runner.state, 30, LiveRuns(), clock=lambda: clock[0])
    ends = []
    for clock[0] in (0.0, 9.0, 11.0):
        renewal.renew_if_due(runner.lead.fence)
        ends.append(lease(runner, "daemon").expires_at)
    assert ends[0] == ends[1] < ends[2]


def test_a_run_may_go_on_until_its_leases_may_have_ended(lite: Runner) -> None:
    # Given leases of 30 s that are watched from 100 s on, by a clock that the test sets.
    # Unless they are renewed, `check` raises after 130 s; a renewal that began at 131 s lets runs go on until 161 s.
    clock = [100.0]
    renewal = LeaseRenewal(lite.state, 30, LiveRuns(), clock=lambda: clock[0])
    renewal.check()
    renewal.begin()
    for clock[0] in (100.0, 130.0):
        renewal.check()
    clock[0] = 131.0
    with pytest.raises(Unavailable, match="could not be renewed for 30 s"):
        renewal.check()
    renewal.renew_if_due(lite.lead.fence)
    for clock[0] in (131.0, 161.0):
        renewal.check()
    clock[0] = 162.0
    with pytest.raises(Unavailable):
        renewal.check()


def test_a_renewal_counts_from_the_moment_at_which_it_began(lite: Runner) -> None:
    # Given: leases of 30 s. What happens: a renewal begins at 100 s, and its answer comes at 131 s.
    # What must hold: the leases may have expired, so that no run goes on.
    readings = [100.0, 131.0, 131.0]
    renewal = LeaseRenewal(lite.state, 30, LiveRuns(), clock=lambda: readings.pop(0))
    renewal.renew_if_due(lite.lead.fence)
    with pytest.raises(Unavailable):
        renewal.check()


def test_a_run_waits_while_the_file_is_locked(lite_url: URL, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Given: leases of 30 s, and another process that has the file to itself for longer, as `VACUUM` does.
    # What must hold: a run waits until it turns out that its leases still stand, and fails if that does not come.
    monkeypatch.setattr(database, "STATEMENT_SECONDS", 0.05)
    clock = [100.0]
    with (
        runner_for(settings_for(lite_url, tmp_path)) as runner,
        closing(sqlite3.connect(str(lite_url.database), isolation_level=None)) as other,
    ):
        renewal = LeaseRenewal(runner.state, 30, LiveRuns(), clock=lambda: clock[0])
        renewal.renew_if_due(runner.lead.fence)
        other.execute("BEGIN IMMEDIATE")
        clock[0] = 111.0
        with pytest.raises(StatementTimeout):
            renewal.renew_if_due(runner.lead.fence)
        assert renewal.check()
        clock[0] = 131.0
        assert not renewal.check()
        other.execute("COMMIT")
        renewal.renew_if_due(runner.lead.fence)
        assert renewal.check()
        clock[0] = 162.0
        with pytest.raises(Unavailable, match="could not be renewed for 30 s"):
            renewal.check()


def test_a_run_whose_job_was_taken_over_stops(follower: Runner) -> None:
    with kept(follower), going_on(follower, until_stopped):
        give_away(follower, "job:task")
    assert [(row.outcome, row.reason) for row in rows_of(follower.state)] == [
        ("interrupted", "another process took this job over")
    ]
    assert lease(follower, "job:task").holder == ELSEWHERE


def test_without_the_state_a_run_stops_when_leases_end(mariadb: SqlServer, tmp_path: Path) -> None:
    # Given a run whose leases last a second. Its state database dies, so that they cannot be renewed.
    # The run ends by itself within that time; once the database is back, its end and its lines are recorded.
    settings = settings_for(mariadb.create_database(), tmp_path, LEASE_SECONDS="1")
    with runner_for(settings, leads=False) as runner, kept(runner):

        def task() -> None:
            logging.getLogger("task").info("it goes on")
            mariadb.kill()
            while True:
                current_run().sleep(0.05)

        with going_on(runner, task):
            pass
        mariadb.start()
        eventually(lambda: runner.waiting == 0)
        (row,) = rows_of(runner.state)
        assert row.outcome == "failed" and "could not be renewed for 1 s" in row.reason
        assert lines_of(runner.state, row.id) == ["it goes on"]


def test_leases_taken_within_a_run_are_renewed_with_it(lite_follower: Runner) -> None:
    seen = []

    def task() -> None:
        run = current_run()
        with lite_follower.state.begin() as connection:
            moment = lite_follower.state.now(connection)
            fence = leases.acquire(connection, "exclusive", run.holder, moment, 1)
        assert fence is not None
        first = lease(lite_follower, "exclusive").expires_at
        eventually(lambda: lease(lite_follower, "exclusive").expires_at > first + timedelta(seconds=0.5))
        seen.append(fence)

    with kept(lite_follower), going_on(lite_follower, task):
        pass
    assert len(seen) == 1


def test_what_a_run_has_left_is_not_renewed_by_another(lite_follower: Runner) -> None:
    # Given: a run that has ended, and left a lease. What happens: another run of this process goes on, and its leases
    # are renewed. What must hold: the lease that was left ends in its time.
    def leave() -> None:
        with lite_follower.state.begin() as connection:
            moment = lite_follower.state.now(connection)
            leases.acquire(connection, "left", current_run().holder, moment, 1)

    def task() -> None:
        first = lease(lite_follower, "job:task").expires_at
        eventually(lambda: lease(lite_follower, "job:task").expires_at > first)

    run_by_hand(lite_follower, leave, id="before")
    left = lease(lite_follower, "left").expires_at
    with kept(lite_follower), going_on(lite_follower, task):
        pass
    assert outcomes(lite_follower.state) == ["succeeded", "succeeded"]
    assert lease(lite_follower, "left").expires_at == left


def test_two_runs_of_one_process_exclude_each_other(lite_follower: Runner) -> None:
    holder = lite_follower.holder
    with lite_follower.state.begin() as connection:
        moment = lite_follower.state.now(connection)
        first = leases.acquire(connection, "exclusive", holders.holder_of_run(holder, 1), moment, 60)
        assert first is not None
        assert leases.acquire(connection, "exclusive", holders.holder_of_run(holder, 2), moment, 60) is None


@pytest.mark.parametrize("database_url", ["mariadb"], indirect=True)
def test_a_renewal_that_ends_a_deadlock_is_tried_again(database_url: URL, tmp_path: Path) -> None:
    # Given: a transaction that has written much, and holds one of two leases.
    # What happens: a renewal takes the first lease and waits for the second, and the transaction wants the first.
    # What must hold: the server ends the renewal, which is the cheaper; it is tried again, and the leases are renewed.
    with runner_for(settings_for(database_url, tmp_path)) as runner:
        fence = runner.lead.fence
        assert fence is not None and fence.name == "daemon"
        with runner.state.begin() as connection:
            first = leases.acquire(connection, "a", runner.holder, runner.state.now(connection), 60)
        assert first is not None
        renewed = list[set[Fence]]()
        renewing = threading.Thread(
            target=lambda: renewed.append(runner.renewal._renew([], [first, fence])), daemon=True
        )
        with runner.state.begin() as connection:
            for number in range(50):
                leases.acquire(connection, f"z{number}", "somebody", runner.state.now(connection), 60)
            hold(connection, [fence])
            renewing.start()
            eventually(lambda: waits_for_a_lock(runner), "the renewal waits")
            hold(connection, [first])
        renewing.join(30)
        assert renewed == [{first, fence}]


def waits_for_a_lock(runner: Runner) -> bool:
    """Whether some transaction waits for a lock."""
    with runner.state.read() as connection:
        # Unlike `innodb_trx`, it is not kept for a tenth of a second after each question.
        row = connection.exec_driver_sql("SHOW GLOBAL STATUS LIKE 'Innodb_row_lock_current_waits'").one()
        return int(row[1]) > 0
