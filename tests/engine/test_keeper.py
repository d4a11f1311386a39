"""The keeper: leases held and lost, reports saved, what is old forgotten."""

import json
import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import URL, select, update

from janitor.engine import keeper as keepers
from janitor.engine.keeper import Keeper
from janitor.engine.runner import Runner
from janitor.engine.stages import Slot
from janitor.errors import Fenced, JanitorError, Rejected, Unavailable
from janitor.runs import current_run
from janitor.state import leases
from janitor.state.run_records import BY_HAND
from janitor.state.tables import leases as lease_rows
from tests.servers import SqlServer
from tests.small_engine import (
    DATABASES,
    empty_state,
    eventually,
    job_of,
    lines_of,
    now,
    outcomes,
    remember_run,
    rows_of,
    runner_for,
    settings_for,
)

ELSEWHERE = "elsewhere|another-boot|pid:[1]|1|1|x"


@contextmanager
def kept(runner: Runner, *, daemon: bool = True) -> Iterator[Keeper]:
    """A keeper that is at work; for a daemon, once it leads or stands by."""
    keeper = Keeper(runner, daemon=daemon)
    keeper.start()
    try:
        yield keeper
    finally:
        keeper.stop()


@contextmanager
def going_on(runner: Runner, task: Any, id: str = "task") -> Iterator[threading.Thread]:
    """A run by hand in a thread of its own."""
    thread = threading.Thread(target=runner.execute, args=(job_of(task, id=id), Slot(None, BY_HAND)), daemon=True)
    thread.start()
    eventually(lambda: runner.live)
    yield thread
    thread.join(30)
    assert not thread.is_alive()


def until_stopped() -> None:
    current_run().sleep(60)


def lease(runner: Runner, name: str) -> Any:
    with runner.state.begin() as connection:
        return connection.execute(select(lease_rows).where(lease_rows.c.name == name)).one_or_none()


def give_away(runner: Runner, name: str) -> None:
    """Let another process have a lease, as after it had expired."""
    with runner.state.begin() as connection:
        taken = {"token": lease_rows.c.token + 1, "holder": ELSEWHERE}
        taken["expires_at"] = runner.state.now(connection) + timedelta(seconds=60)
        connection.execute(update(lease_rows).where(lease_rows.c.name == name).values(taken))


@pytest.fixture(params=DATABASES)
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> URL:
    """A state database with its tables; here the tests have no use for one that is empty."""
    return empty_state(request, tmp_path)


@pytest.fixture
def runner(database_url: URL, tmp_path: Path) -> Iterator[Runner]:
    with runner_for(settings_for(database_url, tmp_path, LEASE_SECONDS="1"), leads=False) as made:
        yield made


@pytest.fixture
def lite(tmp_path: Path) -> Iterator[Runner]:
    url = URL.create("sqlite", database=str(tmp_path / "state.db"))
    with runner_for(settings_for(url, tmp_path, LEASE_SECONDS="1"), leads=False) as made:
        yield made


def test_a_daemon_leads_and_gives_the_lease_back(runner: Runner) -> None:
    with kept(runner) as keeper:
        eventually(lambda: keeper.leading)
        assert lease(runner, "daemon").holder == runner.holder
        assert runner.daemon_fence is not None
    assert lease(runner, "daemon").holder is None and runner.daemon_fence is None


@pytest.mark.slow
def test_leases_never_expire_while_kept(database_url: URL, tmp_path: Path) -> None:
    settings = settings_for(database_url, tmp_path, LEASE_SECONDS="3")
    with runner_for(settings, leads=False) as runner, kept(runner) as keeper, going_on(runner, until_stopped):
        eventually(lambda: keeper.leading)
        end = time.monotonic() + 3.5
        while time.monotonic() < end:
            for name in ("daemon", "job:task"):
                assert lease(runner, name).expires_at > now()
            time.sleep(0.1)
        assert keeper.leading and lease(runner, "job:task").token == 1
        for live in list(runner.live.values()):
            live.run.ask_to_stop(Fenced("enough"))


@pytest.mark.slow
def test_a_second_daemon_stands_by_and_takes_over(database_url: URL, tmp_path: Path) -> None:
    settings = settings_for(database_url, tmp_path, LEASE_SECONDS="1")
    with runner_for(settings, leads=False) as first, runner_for(settings, leads=False) as second:
        with kept(second) as standby:
            with kept(first) as leader:
                eventually(lambda: leader.leading or standby.leading)
                leading, waiting = (leader, standby) if leader.leading else (standby, leader)
                time.sleep(1.5)
                assert leading.leading and not waiting.leading
                leading.stop()
                eventually(lambda: waiting.leading)


def test_an_expired_lease_is_taken_and_its_runs_end(runner: Runner) -> None:
    with runner.state.begin() as connection:
        moment = runner.state.now(connection)
        leases.acquire(connection, "daemon", ELSEWHERE, moment, 1)
        leases.acquire(connection, "job:task", ELSEWHERE, moment, 1)
    remember_run(runner.state, "task", now(), None, holder=ELSEWHERE)
    with kept(runner) as keeper:
        eventually(lambda: keeper.leading)
        (row,) = rows_of(runner.state)
        assert (row.outcome, row.reason) == ("interrupted", "the process that ran it is gone")
        # With another token, whatever the dead one may still do under it writes nothing.
        assert (lease(runner, "job:task").holder, lease(runner, "job:task").token) == (None, 2)


def test_runs_of_a_living_process_go_on(runner: Runner) -> None:
    with runner.state.begin() as connection:
        leases.acquire(connection, "job:other", ELSEWHERE, runner.state.now(connection), 60)
    remember_run(runner.state, "other", now(), None, holder=ELSEWHERE)
    with kept(runner) as keeper:
        eventually(lambda: keeper.leading)
        assert outcomes(runner.state) == [None]
        assert lease(runner, "job:other").holder == ELSEWHERE


def test_a_daemon_that_was_followed_stops_its_runs(runner: Runner, caplog: pytest.LogCaptureFixture) -> None:
    followed = threading.Event()
    with kept(runner) as keeper:
        eventually(lambda: keeper.leading)
        keeper._on_standby = followed.set
        with going_on(runner, until_stopped):
            give_away(runner, "daemon")
            eventually(followed.is_set)
        assert runner.daemon_fence is None
        assert [(row.outcome, row.reason) for row in rows_of(runner.state)] == [
            ("interrupted", "another daemon has taken over")
        ]
        assert lease(runner, "daemon").holder == ELSEWHERE
    assert lease(runner, "daemon").holder == ELSEWHERE
    assert "stands by" in caplog.text


def test_a_run_whose_job_was_taken_over_stops(runner: Runner) -> None:
    with kept(runner, daemon=False), going_on(runner, until_stopped):
        give_away(runner, "job:task")
    assert [(row.outcome, row.reason) for row in rows_of(runner.state)] == [
        ("interrupted", "another process took this job over")
    ]
    assert lease(runner, "job:task").holder == ELSEWHERE


def test_without_the_state_a_run_stops_when_leases_end(mariadb: SqlServer, tmp_path: Path) -> None:
    settings = settings_for(mariadb.create_database(), tmp_path, LEASE_SECONDS="1")
    with runner_for(settings, leads=False) as runner, kept(runner, daemon=False):

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


def test_the_clock_goes_on_leading_after_an_outage(mariadb: SqlServer, tmp_path: Path) -> None:
    settings = settings_for(mariadb.create_database(), tmp_path, LEASE_SECONDS="3")
    with runner_for(settings, leads=False) as runner, kept(runner) as keeper:
        eventually(lambda: keeper.leading)
        fence = runner.daemon_fence
        with mariadb.stopped():
            with pytest.raises(Unavailable):
                eventually(lambda: keeper.guard())
        eventually(lambda: lease(runner, "daemon").expires_at > now())
        eventually(lambda: not keeper._away)
        assert keeper.leading
        assert runner.daemon_fence == fence
        keeper.guard()


def test_what_a_run_reports_is_saved_within_a_second(runner: Runner) -> None:
    def task() -> None:
        logging.getLogger("task").info("so far")
        current_run().progress(3, 20)
        (row,) = rows_of(runner.state)
        eventually(lambda: "so far" in lines_of(runner.state, row.id))
        eventually(lambda: json.loads(rows_of(runner.state)[0].progress or "{}") == {"": {"done": 3, "total": 20}})

    with kept(runner, daemon=False), going_on(runner, task):
        pass
    assert outcomes(runner.state) == ["succeeded"]


def test_a_run_over_its_time_is_warned_of_once(lite: Runner, caplog: pytest.LogCaptureFixture) -> None:
    with kept(lite, daemon=False):
        lite.execute(job_of(lambda: time.sleep(1.5), timeout=0.1), Slot(None, BY_HAND))
    assert caplog.text.count("has not come to a safe point yet") == 1
    assert outcomes(lite.state) == ["timed_out"]


def test_old_runs_are_forgotten_and_the_newest_slot_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, database_url: URL
) -> None:
    monkeypatch.setattr(keepers, "PRUNE_SECONDS", 0.0)
    with runner_for(settings_for(database_url, tmp_path, HISTORY_DAYS="7"), leads=False) as runner:
        for age in (30, 20, 10, 3):
            remember_run(runner.state, "often", now() - timedelta(days=age))
        remember_run(runner.state, "rarely", now() - timedelta(days=30))
        remember_run(runner.state, "rarely", now() - timedelta(days=20))
        with kept(runner):
            eventually(lambda: len(rows_of(runner.state)) == 2)
        ages = {row.job: round((now() - row.slot_at) / timedelta(days=1)) for row in rows_of(runner.state)}
        assert ages == {"often": 3, "rarely": 20}


def test_a_state_that_says_no_ends_the_start(tmp_path: Path) -> None:
    url = URL.create("sqlite", database=str(tmp_path / "state.db"))
    with runner_for(settings_for(url, tmp_path), leads=False) as runner:
        with runner.state.begin() as connection:
            connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
        told = threading.Event()
        keeper = Keeper(runner, daemon=True, on_standby=told.set)
        keeper.start()
        assert told.wait(30)
        keeper.stop()
        assert isinstance(keeper.failure, Rejected) and "schema 9999" in str(keeper.failure)


def test_a_keeper_that_dies_does_not_die_unheard(lite: Runner) -> None:
    told = threading.Event()

    def fail() -> None:
        raise ZeroDivisionError("a mistake")

    keeper = Keeper(lite, daemon=True, on_leading=fail, on_standby=told.set)
    keeper.start()
    assert told.wait(30)
    assert isinstance(keeper.failure, JanitorError) and not keeper.leading
    keeper.stop()


def test_a_start_cut_short_by_an_outage_is_made_again(lite: Runner) -> None:
    calls: list[int] = []

    def lead() -> None:
        calls.append(1)
        if len(calls) == 1:
            raise Unavailable("away in the middle of it")

    keeper = Keeper(lite, daemon=True, on_leading=lead)
    keeper.start()
    eventually(lambda: keeper.leading)
    keeper.stop()
    assert len(calls) == 2


def test_two_runs_of_one_process_exclude_each_other(lite: Runner) -> None:
    with lite.state.begin() as connection:
        moment = lite.state.now(connection)
        first = leases.acquire(connection, "exclusive", leases.holder_of_run(lite.holder, 1), moment, 60)
        assert first is not None
        assert leases.acquire(connection, "exclusive", leases.holder_of_run(lite.holder, 2), moment, 60) is None


def test_leases_taken_within_a_run_are_renewed_with_it(lite: Runner) -> None:
    seen = []

    def task() -> None:
        run = current_run()
        with lite.state.begin() as connection:
            fence = leases.acquire(connection, "exclusive", run.holder, lite.state.now(connection), 1)
        assert fence is not None
        first = lease(lite, "exclusive").expires_at
        eventually(lambda: lease(lite, "exclusive").expires_at > first + timedelta(seconds=0.5))
        seen.append(fence)

    with kept(lite, daemon=False), going_on(lite, task):
        pass
    assert len(seen) == 1
