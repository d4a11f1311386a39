"""Lanes: one run for each job, begun in the order of the clock."""

from janitor.engine import lanes
from janitor.engine.runner import Runner
from janitor.engine.stages import Slot
from janitor.scheduler import Scheduler
from tests.small_engine import nothing, now, rows_of


def test_lanes_that_are_closed_take_nothing(starting: Runner, clock: Scheduler) -> None:
    clock.add_job(nothing, "interval", hours=1)
    made = lanes.Lanes(clock.jobs, starting)
    made.close()
    made.enter(clock.jobs["nothing"], Slot(now()))
    assert made.wait(1) and rows_of(starting.state) == [] and starting.waiting == 0
