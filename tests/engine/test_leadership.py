"""Leading: one daemon holds the lease, a stand-by takes over, and whoever lost it writes nothing more."""

from pathlib import Path

import pytest
from sqlalchemy import URL

from janitor.engine.runner import Runner
from janitor.errors import Fenced, Unavailable
from janitor.runs import Fence
from janitor.state import leases
from janitor.state.shared_clock import SharedClock
from tests.engine.keeping import ELSEWHERE, daemon, daemon_of, give_away, going_on, lease, until_stopped
from tests.servers import SqlServer
from tests.small_engine import eventually, now, outcomes, remember_run, rows_of, runner_for, settings_for


def test_a_daemon_leads_and_gives_the_lease_back(follower: Runner) -> None:
    with daemon(follower) as kept:
        eventually(lambda: kept.leading)
        assert lease(follower, "daemon").holder == follower.holder
        assert follower.lead.fence is not None
    assert lease(follower, "daemon").holder is None and follower.lead.fence is None


def test_a_second_daemon_stands_by_and_takes_over(database_url: URL, tmp_path: Path) -> None:
    # Given two daemons on one state database. One leads, and ends in order.
    # The other stands by until then, and leads at its next step.
    settings = settings_for(database_url, tmp_path, LEASE_SECONDS="60")
    with runner_for(settings, leads=False) as first, runner_for(settings, leads=False) as second:
        leader, waiting = daemon_of(first), daemon_of(second)
        leader.keeper.step()
        for _ in range(3):
            waiting.keeper.step()
            assert leader.leading and not waiting.leading
        first.leadership.free(first.lead.fence)
        waiting.keeper.step()
        assert waiting.leading and second.lead.fence == Fence("daemon", 3)


def test_an_expired_lease_is_taken_and_its_runs_end(follower: Runner) -> None:
    # Given the leases and the open run of a process that is gone, its leases expired a minute ago.
    # A daemon comes to lead: it closes the run, and gives the job's lease another token.
    # So whatever the dead process may still do under the old token, it writes nothing.
    with follower.state.begin() as connection:
        moment = follower.state.now(connection)
        for name in ("daemon", "job:task"):
            leases.acquire(connection, name, ELSEWHERE, moment, -60)
    remember_run(follower.state, "task", now(), None, holder=ELSEWHERE)
    daemon_of(follower).keeper.step()
    (row,) = rows_of(follower.state)
    assert (row.outcome, row.reason) == ("interrupted", "the process that ran it is gone")
    assert (lease(follower, "job:task").holder, lease(follower, "job:task").token) == (None, 2)


def test_runs_of_a_living_process_go_on(follower: Runner) -> None:
    with follower.state.begin() as connection:
        leases.acquire(connection, "job:other", ELSEWHERE, follower.state.now(connection), 60)
    remember_run(follower.state, "other", now(), None, holder=ELSEWHERE)
    daemon_of(follower).keeper.step()
    assert outcomes(follower.state) == [None]
    assert lease(follower, "job:other").holder == ELSEWHERE


def test_a_daemon_that_was_followed_stops_its_runs(follower: Runner, caplog: pytest.LogCaptureFixture) -> None:
    # Given a daemon that leads, with a run that goes on. Another daemon gets its lease, as after a freeze.
    # At the next renewal the daemon notices: it stands by, and its run ends as interrupted.
    # It leaves the other daemon's lease alone, now and when it ends.
    with daemon(follower) as kept:
        eventually(lambda: kept.leading)
        with going_on(follower, until_stopped):
            give_away(follower, "daemon")
            eventually(kept.stood_by.is_set)
        assert follower.lead.fence is None
        assert [(row.outcome, row.reason) for row in rows_of(follower.state)] == [
            ("interrupted", "another daemon has taken over")
        ]
        assert lease(follower, "daemon").holder == ELSEWHERE
    assert lease(follower, "daemon").holder == ELSEWHERE
    assert "stands by" in caplog.text


def test_a_run_may_begin_at_once_after_a_long_stand_by(lite_url: URL, tmp_path: Path) -> None:
    # Given: a daemon that has stood by for longer than a lease lasts. What happens: it comes to lead.
    # What must hold: its leases are as new. Else its first runs would fail.
    boot = [100.0]
    clock = SharedClock(None, boot=lambda: boot[0])
    with runner_for(settings_for(lite_url, tmp_path), leads=False, clock=clock) as runner:
        runner.renewal.begin()
        boot[0] += 1_000
        with pytest.raises(Unavailable):
            runner.lead.check()
        assert runner.leadership.try_to_take()
        runner.lead.check()


def test_only_the_leader_has_a_say_in_slots(lite: Runner) -> None:
    with lite.state.begin(*lite.lead.fences):
        pass
    lite.leadership.take(None)
    with pytest.raises(Fenced), lite.state.begin(*lite.lead.fences):
        pass


def test_the_clock_goes_on_leading_after_an_outage(mariadb: SqlServer, tmp_path: Path) -> None:
    # Given a daemon that leads. Its state database is away for longer than its leases last.
    # Runs are told to stop meanwhile. Nobody took the lease, so that the daemon then renews it and leads on.
    settings = settings_for(mariadb.create_database(), tmp_path, LEASE_SECONDS="3")
    with runner_for(settings, leads=False) as runner, daemon(runner) as kept:
        eventually(lambda: kept.leading)
        fence = runner.lead.fence
        with mariadb.stopped(), pytest.raises(Unavailable):
            eventually(lambda: runner.lead.check())
        eventually(lambda: lease(runner, "daemon").expires_at > now())
        eventually(lambda: not raises_unavailable(runner))
        assert kept.leading and runner.lead.fence == fence


def raises_unavailable(runner: Runner) -> bool:
    try:
        runner.lead.check()
    except Unavailable:
        return True
    return False
