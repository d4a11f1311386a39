"""Lanes: one run for each job, begun in the order of the clock."""

import threading
from collections.abc import Iterator

import pytest

from janitor.engine import lanes
from janitor.engine.runner import Runner
from janitor.engine.stages import Slot
from janitor.errors import Unavailable
from janitor.scheduler import Scheduler
from tests.small_engine import eventually, nothing, now, outcomes, rows_of


def test_lanes_that_are_closed_take_nothing(starting: Runner, clock: Scheduler) -> None:
    clock.add_job(nothing, "interval", hours=1)
    made = lanes.Lanes(clock.jobs, starting)
    made.close()
    made.enter(clock.jobs["nothing"], Slot(now()))
    assert made.wait(1) and rows_of(starting.state) == [] and starting.waiting == 0


@pytest.fixture
def no_threads() -> Iterator[None]:
    """No thread can be started, since each would need more memory than there is."""
    usual = threading.stack_size(1 << 46)
    yield
    threading.stack_size(usual)


def test_a_run_that_gets_no_thread_has_failed_and_its_lane_is_free(
    lite: Runner, clock: Scheduler, no_threads: None
) -> None:
    clock.add_job(nothing, "interval", hours=1)
    made = lanes.Lanes(clock.jobs, lite)
    made.enter(clock.jobs["nothing"], Slot(now()))
    with pytest.raises(Unavailable, match="the system gives no thread for it: can't start new thread"):
        made.run_now(clock.jobs["nothing"], dry_run=False)
    assert made.wait(0)
    threading.stack_size(0)
    lite.flush()
    made.enter(clock.jobs["nothing"], Slot(now()))
    eventually(lambda: outcomes(lite.state) == ["failed", "succeeded"])
    assert "gives no thread" in rows_of(lite.state)[0].reason
