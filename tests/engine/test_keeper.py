"""The keeper: it does its duties again and again, waits for an absent state database, and does not die unheard."""

import json
import logging
from pathlib import Path

import pytest
from sqlalchemy import URL

from janitor.engine.keeper import Keeper
from janitor.engine.runner import Runner
from janitor.engine.takeover import Takeover
from janitor.errors import Rejected
from janitor.runs import current_run
from tests.engine.keeping import daemon_of, going_on, kept
from tests.small_engine import eventually, lines_of, outcomes, rows_of, runner_for, settings_for


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
