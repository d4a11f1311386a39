"""Hosts whose clocks differ: slots come by the state database's clock, whoever leads."""

from pathlib import Path

import pytest
from sqlalchemy import URL

from janitor.scheduler import Scheduler
from janitor.state.shared_clock import SharedClock
from tests.small_engine import SECOND, check_slots, ended, nothing, now, rows_of, runner_for, settings_for, tick


def host(ahead: float) -> SharedClock:
    """The clock of a host that is so many seconds ahead; the state database's clock is right."""
    return SharedClock(lambda connection: now(), lambda: now() + ahead * SECOND)


@pytest.mark.parametrize("ahead", [-300, 90])
def test_a_host_with_another_clock_takes_over(
    ahead: float, lite_url: URL, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    # Given a daemon on a host whose clock is right. It runs slots of each second, and stops.
    # A daemon on a host whose clock is off leads after it, and then one on the first host again.
    # No slot is taken back, none is lost, all come at their time; the host whose clock is off says so.
    began = now()
    for seconds in (0, ahead, 0):
        with runner_for(settings_for(lite_url, tmp_path), leads=False, clock=host(seconds)) as runner:
            clock = Scheduler(runner.settings)
            clock.add_job(nothing, "every 1s", id="task")
            assert tick(clock, runner, ended(runner, "task", len(rows_of(runner.state)) + 2))
            rows = rows_of(runner.state)
    check_slots(runner.state, "task", clock.jobs["task"].trigger)
    assert all(row.slot_at is not None and row.slot_at <= row.started_at <= now() + SECOND for row in rows)
    # On a busy machine a slot may come while the run before it goes on.
    assert {row.outcome for row in rows} <= {"succeeded", "missed", "skipped"}
    assert sum(row.slots for row in rows) <= (now() - began) / SECOND + 2
    assert "set back" not in caplog.text and "leapt" not in caplog.text and "still to come" not in caplog.text
    assert f"the clock of this host is {abs(ahead)} s" in caplog.text
