"""Somebody writes a SQLite file anew, as `VACUUM` does, while the daemon works: it waits, and nothing is lost."""

import sqlite3
import threading
import time
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import URL

from janitor.jobs import schedules
from janitor.scheduler import Scheduler
from tests.small_engine import check_slots, migrated, rows_of, run_until, runner_for, settings_for

WRITING_SECONDS = 13.0
"""Longer than a statement of the daemon waits for its turn."""


@pytest.mark.slow
def test_a_vacuum_of_many_seconds_fails_no_run_and_loses_no_slot(tmp_path: Path) -> None:
    # Given a daemon with a job of every second.
    # What happens: another program keeps the file to itself for 13 s, as VACUUM does with a large one.
    # What must hold: the daemon waits and goes on. Each slot has one outcome, and no run failed.
    url = URL.create("sqlite", database=str(tmp_path / "state.db"))
    migrated(url).close()
    ends: list[float] = []

    def write_anew() -> None:
        with sqlite3.connect(tmp_path / "state.db", isolation_level=None, timeout=30) as other:
            time.sleep(2)
            other.execute("BEGIN IMMEDIATE")
            time.sleep(WRITING_SECONDS)
            other.execute("COMMIT")
            other.execute("VACUUM")
        ends.append(time.time())

    with runner_for(settings_for(url, tmp_path, LEASE_SECONDS="30"), leads=False) as runner:
        scheduler = Scheduler(runner.settings)
        scheduler.add_job(print, "interval", seconds=1, id="often")
        writer = threading.Thread(target=write_anew)
        writer.start()
        assert run_until(scheduler.daemon(runner), lambda: ends and _newest(runner.state) > ends[0] + 2, 60)
        writer.join()
        assert check_slots(runner.state, "often", schedules.every(1)) >= WRITING_SECONDS
        told = {row.outcome for row in rows_of(runner.state)}
    assert told <= {"succeeded", "skipped", "missed"}, told


def _newest(state: Any) -> float:
    """When the newest run that has ended began."""
    found: list[datetime] = [row.started_at for row in rows_of(state) if row.outcome == "succeeded"]
    return found[-1].timestamp() if found else 0.0
