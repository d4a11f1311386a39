"""Lateness: a run over its time is told of once."""

import time

import pytest

from janitor.engine.lateness import warn_late
from janitor.engine.live import Live, LiveRuns, Progress
from janitor.runs import Fence, Run
from tests.small_engine import job_of


def test_a_run_over_its_time_is_warned_of_once(caplog: pytest.LogCaptureFixture) -> None:
    late = Run(id=1, job="late", deadline=time.monotonic() - 1)
    in_time = Run(id=2, job="in_time", deadline=time.monotonic() + 60)
    live: LiveRuns = {
        run.id: Live(run, job_of(print, id=run.job), Fence("x", 1), Progress()) for run in (late, in_time)
    }
    for _ in range(3):
        warn_late(live)
    assert caplog.text.count("has not come to a safe point yet") == 1
    assert "run 1 of late is over its timeout of 3600 s" in caplog.text
