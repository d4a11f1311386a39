"""The keeper: it does its duties again and again, waits for an absent state database, and does not die unheard."""

import json
import logging
import sqlite3
from contextlib import closing, suppress
from pathlib import Path

import pytest
from sqlalchemy import URL
from sqlalchemy.exc import OperationalError

from janitor.engine.keeper import Keeper
from janitor.engine.obstacles import KEEPING
from janitor.engine.runner import Runner
from janitor.engine.takeover import Takeover
from janitor.errors import Rejected
from janitor.runs import Outcome, current_run
from janitor.state import database, leases
from janitor.state.shared_clock import SharedClock
from janitor.state.slot_records import LostSlots
from tests.daemons import Daemon, daemons
from tests.engine.keeping import ELSEWHERE, daemon_of, going_on, kept, lease
from tests.servers import SqlServer
from tests.small_engine import (
    eventually,
    lines_of,
    migrated,
    now,
    outcomes,
    rows_of,
    runner_for,
    settings_for,
    text_of,
)


def test_what_a_run_reports_is_saved_within_a_second(follower: Runner) -> None:
    def task() -> None:
        logging.getLogger("task").info("so far")
        current_run().progress(3, 20)
        (row,) = rows_of(follower.state)
        eventually(lambda: "so far" in lines_of(follower.state, row.id))
        eventually(lambda: json.loads(rows_of(follower.state)[0].progress or "{}") == {"": {"done": 3, "total": 20}})

    with kept(follower), going_on(follower, task):
        pass
    assert outcomes(follower.state) == ["succeeded"]


def test_what_waits_is_written_before_the_lease_is_free(lite: Runner) -> None:
    lite.losses.add(LostSlots("task", now(), now(), 1, Outcome.MISSED, "asleep"))
    daemon_of(lite).keeper.stop()
    assert outcomes(lite.state) == ["missed"] and lease(lite, "daemon").holder is None


def test_a_state_that_says_no_ends_the_start(lite_url: URL, tmp_path: Path) -> None:
    # Given a state database of a newer release. A daemon starts on it.
    # Its keeper gives up with the reason, and has the daemon stop.
    with runner_for(settings_for(lite_url, tmp_path), leads=False) as runner:
        with runner.state.begin() as connection:
            connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
        kept = daemon_of(runner)
        kept.keeper.start()
        assert kept.failed.wait(30) and kept.stood_by.is_set()
        kept.keeper.stop()
        assert isinstance(kept.keeper.failure, Rejected) and "schema 9999" in str(kept.keeper.failure)


def test_a_keeper_whose_takeover_fails_tries_it_again(lite_follower: Runner, caplog: pytest.LogCaptureFixture) -> None:
    # Given a takeover that fails once with an error that nobody expected.
    # The keeper tells it with its traceback, and tries again.
    # The daemon leads, and does not stop.
    calls = []

    def fails_once() -> None:
        calls.append(1)
        if len(calls) == 1:
            raise ZeroDivisionError("a mistake")

    kept = daemon_of(lite_follower, on_leading=fails_once)
    kept.keeper.start()
    eventually(lambda: kept.leading)
    kept.keeper.stop()
    assert len(calls) == 2 and kept.keeper.failure is None and not kept.failed.is_set()
    assert "keeper failed, and goes on: ZeroDivisionError: a mistake" in caplog.text and "Traceback" in caplog.text


def test_a_duty_that_fails_keeps_no_other_from_being_done(lite_follower: Runner) -> None:
    done: list[str] = []

    def fail() -> None:
        raise KeyError("nobody expected this")

    takeover = Takeover(lite_follower.state, lite_follower.leadership)
    keeper = Keeper(lite_follower, takeover, {"bad": fail, "good": lambda: done.append("duty")})
    for _ in range(4):
        keeper.step()
    assert done == ["duty"] * 3 and [one.duty for one in lite_follower.loops.troubles] == ["bad"]


def test_a_leader_has_its_duties_done_and_a_stand_by_not(lite_follower: Runner) -> None:
    done: list[str] = []
    takeover = Takeover(lite_follower.state, lite_follower.leadership)
    keeper = Keeper(lite_follower, takeover, duties={"test": lambda: done.append("duty")})
    keeper.step()
    assert takeover.at_work and done == []
    keeper.step()
    takeover.stand_by()
    keeper.step()
    assert done == ["duty"]


def test_a_stand_by_waits_for_a_state_that_says_no(lite_follower: Runner, caplog: pytest.LogCaptureFixture) -> None:
    # Given: a daemon that stands by. What happens: the state database refuses its looks, as if a disk were full,
    # and the leader is gone meanwhile. What must hold: it does not end, and leads once it is let in.
    with lite_follower.state.begin() as connection:
        fence = leases.acquire(connection, "daemon", ELSEWHERE, lite_follower.state.now(connection), 60)
    assert fence is not None
    kept = daemon_of(lite_follower)
    kept.keeper.start()
    eventually(lambda: kept.takeover.begun)
    with lite_follower.state.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE leases RENAME TO elsewhere")
    eventually(lambda: "this daemon cannot come to lead: a table is missing" in caplog.text)
    assert not kept.failed.is_set() and kept.keeper.failure is None
    with lite_follower.state.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE elsewhere RENAME TO leases")
        leases.release(connection, fence)
    eventually(lambda: kept.leading)
    kept.keeper.stop()


def test_a_file_that_another_process_has_to_itself_is_told_as_that(
    lite_url: URL, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    # Given: a daemon that leads. What happens: another process has the file of its state database to itself.
    # What must hold: it says that runs wait. It does not say that they fail, as it does if the database is away.
    monkeypatch.setattr(database, "STATEMENT_SECONDS", 0.05)
    with (
        runner_for(settings_for(lite_url, tmp_path)) as runner,
        closing(sqlite3.connect(str(lite_url.database), isolation_level=None)) as other,
    ):
        keeper = Keeper(runner)
        other.execute("BEGIN IMMEDIATE")
        keeper.try_step()
        assert "has been locked for 0 s, runs wait until it is free" in caplog.text and "is away" not in caplog.text
        other.execute("COMMIT")
        keeper.try_step()
        assert runner.obstacles.overcome(KEEPING) is False


def test_runs_wait_whichever_duty_meets_a_locked_file(
    lite_url: URL, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given: a daemon with a duty that writes before it renews its leases. What happens: another process has the file to
    # itself, from just after a renewal, for longer than a lease. What must hold: runs wait, as they do else.
    monkeypatch.setattr(database, "STATEMENT_SECONDS", 0.05)
    boot = [100.0]
    clock = SharedClock(None, now, lambda: boot[0])
    with (
        runner_for(settings_for(lite_url, tmp_path), clock=clock) as runner,
        closing(sqlite3.connect(str(lite_url.database), isolation_level=None)) as other,
    ):

        def beat() -> None:
            with runner.state.begin(*runner.lead.fences):
                pass

        keeper = Keeper(runner, first={"beating": beat})
        keeper.try_step()
        other.execute("BEGIN IMMEDIATE")
        for _ in range(4):
            boot[0] += runner.settings.lease_seconds / 3
            keeper.try_step()
        assert not runner.renewal.check()
        other.execute("COMMIT")
        keeper.try_step()
        assert runner.renewal.check()


@pytest.mark.slow
def test_a_daemon_goes_on_with_a_password_that_was_rotated(mariadb: SqlServer, tmp_path: Path) -> None:
    # Given: a daemon whose state database's URL is in a file. What happens: the password is rotated, first at the
    # server, then in the file, and every connection ends. What must hold: it runs its jobs again, without a restart.
    url = mariadb.create_database()
    state, path = migrated(url), tmp_path / "url"

    def rotate(password: str) -> None:
        mariadb.execute(f"ALTER USER keeper IDENTIFIED BY '{password}'")
        for (number,) in mariadb.execute("SELECT id FROM information_schema.processlist WHERE user = 'keeper'"):
            with suppress(OperationalError):  # it has ended by itself
                mariadb.execute(f"KILL {number}")

    mariadb.execute("DROP USER IF EXISTS keeper", "CREATE USER keeper", f"GRANT ALL ON `{url.database}`.* TO keeper")
    rotate("the old one")
    path.write_text(text_of(url.set(username="keeper", password="the old one")), encoding="utf-8")
    with daemons("tests.small_house", tmp_path, STATE_DATABASE_URL_FILE=str(path)) as start:
        daemon: Daemon = start(url, STATE_DATABASE_URL="", COUNT_SCHEDULE="every 1s")
        eventually(lambda: outcomes(state, "count").count("succeeded") > 1)
        rotate("the new one")
        daemon.says("access denied")
        path.write_text(text_of(url.set(username="keeper", password="the new one")), encoding="utf-8")
        daemon.says("the state database is back")
        before = outcomes(state, "count").count("succeeded")
        eventually(lambda: outcomes(state, "count").count("succeeded") > before)
        assert daemon.end() == 0 and "the new one" not in daemon.text
    state.close()
    mariadb.execute("DROP USER keeper")
