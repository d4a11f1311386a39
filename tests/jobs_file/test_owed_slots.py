"""What a job owes when its jobs file, its zone or its daemon changed: through real daemons, and with true reasons."""

import signal
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

from janitor.state.tables import jobs as job_rows
from tests.command_line import wait_for
from tests.jobs_file.living import House, daemon
from tests.small_engine import now, outcomes, remember_run, rows_of

BEAT = "  - {id: beat, function: 'FUNCTIONS:skips', schedule: every 1s}\n"
TASK = "  - {id: task, function: 'FUNCTIONS:skips', schedule: every 1s}\n"
BOTH = f"jobs:\n{TASK}{BEAT}"


def beats(house: House, times: int) -> None:
    """Wait until the daemon has run so many slots more."""
    before = len(rows_of(house.state, "beat"))
    wait_for(lambda: len(rows_of(house.state, "beat")) > before + times)


@pytest.mark.slow
@pytest.mark.parametrize("zone", ["Etc/GMT+8", "Etc/GMT-8"])
def test_another_zone_after_kill_9_owes_nothing(tmp_path: Path, zone: str) -> None:
    # Given a daily job of days ago that has run 20 hours ago, and a daemon that is killed with SIGKILL.
    # It starts again in a zone in which the same words mean an hour eight hours later, or earlier.
    # What must hold: the job does not run again, and no slot of it is missed.
    at = now() - timedelta(hours=20)
    text = f"jobs:\n  - {{id: day, function: 'FUNCTIONS:skips', schedule: cron {at.minute} {at.hour} * * *}}\n{BEAT}"
    with daemon(tmp_path, text, signal.SIGKILL, SCHEDULE_TIMEZONE="UTC") as house:
        beats(house, 1)
        remember_run(house.state, "day", at.replace(second=0, microsecond=0), "skipped")
        with house.state.begin() as connection:
            connection.execute(update(job_rows).values(enabled_at=now() - timedelta(days=3)))
    with daemon(tmp_path, text, signal.SIGKILL, SCHEDULE_TIMEZONE=zone) as house:
        beats(house, 2)
        assert outcomes(house.state, "day") == ["skipped"]
    with daemon(tmp_path, text, SCHEDULE_TIMEZONE=zone) as house:
        beats(house, 2)
        assert outcomes(house.state, "day") == ["skipped"]


@pytest.mark.slow
def test_after_kill_9_the_reason_is_that_no_daemon_led(tmp_path: Path) -> None:
    with daemon(tmp_path, BOTH, signal.SIGKILL) as house:
        beats(house, 2)
    killed_at = now()
    wait_for(lambda: now() > killed_at + timedelta(seconds=4))
    with daemon(tmp_path, BOTH) as house:
        beats(house, 2)
        missed = [row for row in rows_of(house.state, "task") if row.outcome == "missed"]
    assert sum(row.slots for row in missed) >= 2
    assert all(row.reason.startswith("no daemon led then; a daemon leads again since 20") for row in missed)
