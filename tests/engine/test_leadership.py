"""Leading: one daemon holds the lease, a stand-by takes over, and whoever lost it writes nothing more."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import URL

from janitor.engine.runner import Runner
from janitor.errors import Fenced, Rejected, Unavailable
from janitor.runs import Fence
from janitor.state import leases
from janitor.state.shared_clock import SharedClock
from tests.engine.keeping import ELSEWHERE, Kept, daemon, daemon_of, give_away, going_on, lease, until_stopped
from tests.servers import SqlServer
from tests.small_engine import SECOND, eventually, now, outcomes, remember_run, rows_of, runner_for, settings_for


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


class Server:
    """A state database's clock, and the boot clock of the machine; the test sets both."""

    def __init__(self) -> None:
        self.now, self.boot = now(), 100.0

    def clock(self) -> SharedClock:
        """What a daemon knows of it."""
        return SharedClock(lambda connection: self.now, now, lambda: self.boot)

    def pass_by(self, seconds: float) -> None:
        """Let the time go on."""
        self.now, self.boot = self.now + seconds * SECOND, self.boot + seconds


@contextmanager
def pair(url: URL, folder: Path, server: Server) -> Iterator[tuple[Runner, Kept, Runner, Kept]]:
    """A daemon that leads and one that stands by; their leases last 30 s."""
    settings = settings_for(url, folder, LEASE_SECONDS="30")
    with (
        runner_for(settings, leads=False, clock=server.clock()) as first,
        runner_for(settings, leads=False, clock=server.clock()) as second,
    ):
        leader, waiting = daemon_of(first), daemon_of(second)
        leader.keeper.step()
        waiting.keeper.step()
        assert leader.leading and not waiting.leading
        yield first, leader, second, waiting


def seconds_until_it_leads(server: Server, waiting: Kept) -> int:
    """After how many seconds a stand-by leads that looks each second."""
    for second in range(1, 120):
        server.pass_by(1)
        waiting.keeper.step()
        if waiting.leading:
            return second
    raise AssertionError("it does not lead")


@pytest.mark.parametrize("leap", [-3600, -20, 0, 3600])
def test_a_dead_leader_is_followed_in_time_whatever_the_clock_does(leap: int, lite_url: URL, tmp_path: Path) -> None:
    # Given: a leader and a stand-by. What happens: the state database's clock is set, and the leader dies before its
    # next renewal; nobody can know that. What must hold: the stand-by leads once the lease's time is over, and no
    # earlier. The old leader writes nothing more.
    server = Server()
    with pair(lite_url, tmp_path, server) as (first, _, second, waiting):
        old = first.lead.fences
        server.now += leap * SECOND
        assert 30 <= seconds_until_it_leads(server, waiting) <= 32
        assert second.lead.fence is not None and second.lead.fence.token > old[0].token
        with pytest.raises(Fenced), first.state.begin(*old):
            pass


@pytest.mark.parametrize("leap", [-3600, -20, 0, 3600])
def test_a_leader_leads_on_whatever_the_clock_does(leap: int, lite_url: URL, tmp_path: Path) -> None:
    # Given: a leader with a run, and a stand-by. What happens: the state database's clock is set.
    # What must hold: the lead stays where it is, and the run goes on.
    server = Server()
    with pair(lite_url, tmp_path, server) as (first, leader, _, waiting), going_on(first, until_stopped):
        server.now += leap * SECOND
        for _ in range(90):
            server.pass_by(1)
            waiting.keeper.step()
            leader.keeper.step()
            assert leader.leading and not waiting.leading
        assert outcomes(first.state) == [None]
        (live,) = first.live.values()
        live.run.ask_to_stop(Fenced("the test is over"))


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
    assert row.outcome == "interrupted" and "gave no sign of life for as long as its lease lasts" in row.reason
    assert (lease(follower, "job:task").holder, lease(follower, "job:task").token) == (None, 2)


def test_who_cannot_take_over_gives_the_lease_back(lite_follower: Runner) -> None:
    # Given: runs of a dead process that cannot be closed. What must hold: the lease is free, since another daemon may
    # do better; it is not taken again each second.
    with lite_follower.state.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE runs RENAME TO elsewhere")
    kept = daemon_of(lite_follower)
    for _ in range(2):
        with pytest.raises(Rejected):
            kept.keeper.step()
        assert not kept.leading and lease(lite_follower, "daemon").holder is None
    with lite_follower.state.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE elsewhere RENAME TO runs")
    kept.keeper.step()
    assert kept.leading


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
            eventually(lambda: not runner.lead.check())
        eventually(lambda: lease(runner, "daemon").expires_at > now())
        eventually(lambda: not raises_unavailable(runner))
        assert kept.leading and runner.lead.fence == fence


def raises_unavailable(runner: Runner) -> bool:
    try:
        runner.lead.check()
    except Unavailable:
        return True
    return False
