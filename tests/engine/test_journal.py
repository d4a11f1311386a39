"""The journal: many records at once, and what waits while the state database is away."""

import threading
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import URL, select

from janitor.engine.runner import Runner
from janitor.engine.stages import Slot
from janitor.errors import Unavailable
from janitor.jobs import schedules
from janitor.state import State, holders
from janitor.state.run_records import BY_HAND
from janitor.state.tables import leases as lease_rows
from tests import small_engine
from tests.servers import SqlServer, free_port
from tests.small_engine import SECOND, job_of, nothing, now, outcomes, rows_of, runner_for, settings_for


def test_ends_and_lost_slots_wait_for_the_state(mariadb: SqlServer, tmp_path: Path) -> None:
    url = mariadb.create_database()
    job, first = replace(job_of(lambda: mariadb.kill()), trigger=schedules.every(1)), now().replace(microsecond=0)
    with runner_for(settings_for(url, tmp_path)) as runner:
        assert runner.execute(job, Slot(first)) is not None
        for number in (1, 2, 3, 4, 5, 7):
            assert runner.execute(job, Slot(first + number * SECOND)) is None
        with pytest.raises(Unavailable):
            runner.flush()
        # The first slot that failed may be on record after all, the next are one stretch, and one does not follow it.
        assert runner.waiting == 4
        mariadb.start()
        runner.flush()
        assert runner.waiting == 0
        rows = rows_of(runner.state)
        assert [(row.outcome, row.slots) for row in rows][:1] == [("succeeded", 1)]
        assert {row.outcome for row in rows[1:]} == {"failed"}
        assert [row.slots for row in rows[1:]] in ([5, 1], [1, 4, 1])
        assert all("could not be recorded" in row.reason and "cannot be reached" in row.reason for row in rows[1:])
        with runner.state.begin() as connection:
            assert connection.execute(select(lease_rows.c.holder).where(lease_rows.c.name == "job:task")).all() == [
                (None,)
            ]


def test_a_run_by_hand_without_state_is_an_error(tmp_path: Path) -> None:
    away = URL.create("mysql+pymysql", "root", "", "127.0.0.1", free_port(), "nowhere")
    settings = settings_for(away, tmp_path)
    with small_engine.logging_to(settings) as (mask, run_log):
        runner = Runner(State(away), settings, holders.new_holder(), mask, run_log)
        with pytest.raises(Unavailable, match="cannot be reached"):
            runner.execute(job_of(nothing), Slot(None, BY_HAND))
        assert runner.waiting == 0


def test_many_runs_at_once_are_all_recorded(runner: Runner) -> None:
    made = [job_of(nothing, id=f"job{number}") for number in range(60)]
    slot = Slot(now())
    threads = [threading.Thread(target=runner.execute, args=(job, slot)) for job in made]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(rows_of(runner.state)) == 60 and set(outcomes(runner.state)) == {"succeeded"}
