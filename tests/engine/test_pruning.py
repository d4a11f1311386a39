"""Pruning: what is old goes, and what is still needed stays."""

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import URL

from janitor.engine.pruning import Pruning
from janitor.errors import Fenced
from janitor.state import leases
from tests.small_engine import now, remember_run, rows_of, runner_for, settings_for


def test_old_runs_are_forgotten_and_the_newest_slot_stays(tmp_path: Path, database_url: URL) -> None:
    with runner_for(settings_for(database_url, tmp_path, HISTORY_DAYS="7")) as runner:
        for job, age in (("often", 30), ("often", 20), ("often", 10), ("often", 3), ("rarely", 30), ("rarely", 20)):
            remember_run(runner.state, job, now() - timedelta(days=age))
        pruning = Pruning(runner.state, runner.settings, {}, runner.leadership)
        assert pruning.prune(now()) == 4 and pruning.prune(now()) == 0
        ages = {row.job: round((now() - row.slot_at) / timedelta(days=1)) for row in rows_of(runner.state)}
        assert ages == {"often": 3, "rarely": 20}


def test_whoever_does_not_lead_forgets_nothing(tmp_path: Path, database_url: URL) -> None:
    with runner_for(settings_for(database_url, tmp_path, HISTORY_DAYS="7"), leads=False) as runner:
        for age in (30, 20):
            remember_run(runner.state, "often", now() - timedelta(days=age))
        pruning = Pruning(runner.state, runner.settings, {}, runner.leadership, first_seconds=0)
        with pytest.raises(Fenced):
            pruning.step()
        assert len(rows_of(runner.state)) == 2


def test_nothing_is_forgotten_right_after_the_start(tmp_path: Path, database_url: URL) -> None:
    with runner_for(settings_for(database_url, tmp_path, HISTORY_DAYS="7")) as runner:
        for age in (30, 20):
            remember_run(runner.state, "often", now() - timedelta(days=age))
        Pruning(runner.state, runner.settings, {}, runner.leadership).step()
        assert len(rows_of(runner.state)) == 2
        Pruning(runner.state, runner.settings, {}, runner.leadership, first_seconds=0).step()
        assert len(rows_of(runner.state)) == 1


def test_nothing_is_forgotten_right_after_a_takeover(tmp_path: Path, database_url: URL) -> None:
    """Given a daemon that has pruned, and stood by for an hour.

    It comes to lead again. What was missed meanwhile must run first: nothing is deleted within the first minute.
    """
    time = 0.0
    with runner_for(settings_for(database_url, tmp_path, HISTORY_DAYS="7")) as runner:
        pruning = Pruning(runner.state, runner.settings, {}, runner.leadership, 60, clock=lambda: time)
        pruning.step()
        time = 60.0
        pruning.step()
        for age in (30, 20):
            remember_run(runner.state, "often", now() - timedelta(days=age))
        lost = runner.lead.fence
        assert lost is not None
        runner.leadership.take(None)
        with runner.state.begin() as connection:
            leases.release(connection, lost)
            runner.leadership.take(leases.acquire(connection, leases.DAEMON, "again", now(), 60))
        time = 3660.0
        pruning.step()
        assert len(rows_of(runner.state)) == 2
        time = 3720.0
        pruning.step()
        assert len(rows_of(runner.state)) == 1
