"""The clock: its phases, and what it needs of APScheduler's private parts."""

import threading
from collections.abc import Iterator

import pytest
from apscheduler.executors.base import BaseExecutor
from apscheduler.schedulers.base import STATE_PAUSED, STATE_RUNNING
from apscheduler.schedulers.blocking import BlockingScheduler
from apscheduler.triggers.interval import IntervalTrigger

from janitor.engine.clock import Clock, Phase
from janitor.engine.stretches import ASLEEP, REPLACED
from tests.small_engine import SECOND, nothing, now


class Noted(BaseExecutor):  # type: ignore[misc]  # APScheduler 3 has no annotations
    """An executor that only notes which jobs were due."""

    def __init__(self) -> None:
        super().__init__()
        self.due: list[str] = []

    def _do_submit_job(self, job: object, run_times: object) -> None:
        self.due.append(job.id)  # type: ignore[attr-defined]
        self._run_job_success(job.id, [])  # type: ignore[attr-defined]


@pytest.fixture
def executor() -> Noted:
    return Noted()


@pytest.fixture
def opened(executor: Noted) -> Iterator[Clock]:
    """A clock that stands by, with a job that was due a second ago."""
    clock = Clock()
    clock.add_job(nothing, "interval", hours=1, id="task", next_run_time=now() - SECOND)
    clock.open(executor)
    yield clock
    clock.close()


def test_due_slots_run_only_while_the_clock_goes(opened: Clock, executor: Noted) -> None:
    assert opened.tick() is None and executor.due == [] and not opened.leading
    opened.go()
    assert opened.tick() is not None and executor.due == ["task"] and opened.leading


def test_only_a_clock_that_goes_can_be_held(opened: Clock, executor: Noted) -> None:
    assert (opened.hold(REPLACED), opened.phase) == (False, Phase.STANDING_BY)
    opened.go()
    assert (opened.hold(REPLACED), opened.phase, opened.leading) == (True, Phase.COUNTING, True)
    assert not opened.hold(ASLEEP) and opened.held_because == REPLACED
    assert opened.tick() is None and executor.due == []
    opened.go()
    opened.tick()
    assert executor.due == ["task"]


def test_a_clock_that_stands_by_runs_nothing(opened: Clock, executor: Noted) -> None:
    opened.go()
    opened.stand_by()
    assert opened.tick() is None and executor.due == [] and not opened.leading


def test_a_clock_asked_to_stop_waits_no_more(opened: Clock) -> None:
    assert opened.wait(0)
    threading.Thread(target=opened.ask_to_stop).start()
    assert not opened.wait(60) and not opened.wait(60) and opened.stopping


def test_a_closed_clock_does_not_go_again(opened: Clock) -> None:
    opened.close()
    opened.close()
    opened.go()
    assert not opened.running and not opened.wait(0)


def test_apscheduler_s_private_parts_are_as_needed(opened: Clock) -> None:
    # The canary: it fails if APScheduler renames a part, or gives it another meaning.
    assert opened.state == STATE_PAUSED
    opened._event.clear()
    opened.wakeup()
    assert opened._event.is_set()
    opened.resume()
    assert opened.state == STATE_RUNNING
    seconds = opened._process_jobs()
    assert 3590 < seconds <= 3600
    trigger = BlockingScheduler()._create_trigger("interval", {"seconds": 5, "timezone": "UTC"})
    assert isinstance(trigger, IntervalTrigger) and trigger.interval == 5 * SECOND


class Breaks(IntervalTrigger):  # type: ignore[misc]  # APScheduler 3 has no annotations
    """A trigger of somebody else, which breaks while the clock goes."""

    broken = False

    def get_next_fire_time(self, previous: object, now: object) -> object:
        if self.broken:
            raise ZeroDivisionError("no such day")
        return super().get_next_fire_time(previous, now)


def test_a_trigger_that_raises_holds_up_no_other_job(
    opened: Clock, executor: Noted, caplog: pytest.LogCaptureFixture
) -> None:
    # Given two jobs that are due; the trigger of the first in time raises. The clock ticks.
    # The other job runs, what broke is told once with its traceback, and the clock goes on.
    trigger = Breaks(hours=1)
    opened.add_job(nothing, trigger, id="bad", next_run_time=now() - 2 * SECOND)
    trigger.broken = True
    opened.go()
    for _ in range(3):
        assert opened.tick() is not None
    assert executor.due == ["task"]
    assert caplog.text.count("bad has no further slot until the next start, since its trigger fails: ZeroDivision") == 1
