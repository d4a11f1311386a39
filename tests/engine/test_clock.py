"""The clock: its phases, and what it needs of APScheduler's private parts."""

import threading
from collections.abc import Callable, Iterator

import pytest
from apscheduler.events import EVENT_JOB_SUBMITTED, JobSubmissionEvent
from apscheduler.executors.base import BaseExecutor
from apscheduler.schedulers.base import STATE_PAUSED, STATE_RUNNING
from apscheduler.schedulers.blocking import BlockingScheduler
from apscheduler.triggers.interval import IntervalTrigger

from janitor.engine.clock import STORE, Clock, Phase
from janitor.engine.leaps import ASLEEP
from janitor.engine.stretches import REPLACED
from tests.small_engine import SECOND, eventually, nothing, now


class Noted(BaseExecutor):  # type: ignore[misc]  # APScheduler 3 has no annotations
    """An executor that only notes which jobs were due."""

    def __init__(self) -> None:
        super().__init__()
        self.due: list[str] = []
        self.clock: Clock | None = None
        self.begins = False

    def _do_submit_job(self, job: object, run_times: object) -> None:
        self.due.append(job.id)  # type: ignore[attr-defined]
        self.begins = self.clock is not None and self.clock.begins
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
    assert opened.tick(now()) is None and executor.due == [] and not opened.leading
    opened.go()
    assert opened.tick(now()) is not None and executor.due == ["task"] and opened.leading


def test_only_a_clock_that_goes_can_be_held(opened: Clock, executor: Noted) -> None:
    assert (opened.hold(REPLACED), opened.phase) == (False, Phase.STANDING_BY)
    opened.go()
    assert (opened.hold(REPLACED), opened.phase, opened.leading) == (True, Phase.COUNTING, True)
    assert not opened.hold(ASLEEP) and opened.held_because == REPLACED
    assert opened.tick(now()) is None and executor.due == []
    opened.go()
    opened.tick(now())
    assert executor.due == ["task"]


def test_slots_that_waited_for_the_first_tick_are_told_apart(opened: Clock, executor: Noted) -> None:
    # Given: a job that is always late. What happens: the clock goes, is held, goes again, and stands by. What must
    # hold: at the first tick of each, and at no other, slots are told to have waited until the clock went.
    def at_tick() -> tuple[bool, str]:
        opened.set_next("task", now() - SECOND)
        opened.tick(now())
        return executor.begins, opened.held_because

    executor.clock = opened
    opened.go()
    assert [at_tick(), at_tick()] == [(True, ""), (False, "")]
    opened.hold(REPLACED)
    opened.go()
    opened.go()
    assert [at_tick(), at_tick()] == [(True, REPLACED), (False, REPLACED)]
    opened.stand_by()
    opened.go()
    assert at_tick() == (True, "")


def test_a_clock_that_stands_by_runs_nothing(opened: Clock, executor: Noted) -> None:
    opened.go()
    opened.stand_by()
    assert opened.tick(now()) is None and executor.due == [] and not opened.leading


@pytest.mark.parametrize("lay", [lambda clock: clock.stand_by(), lambda clock: clock.hold("a leap")])
def test_what_is_being_handed_on_comes_before_a_stand_by(
    opened: Clock, executor: Noted, lay: Callable[[Clock], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given: a clock that hands a slot on, and is slow. What happens: it is to stand by, or to wait.
    # What must hold: that is so only once the slot is handed on. Else it would count for the time after.
    opened.go()
    handing, may_go_on, order = threading.Event(), threading.Event(), list[str]()

    def slow(job: object, slots: object) -> None:
        handing.set()
        assert may_go_on.wait(30)
        order.append("handed on")

    def lay_down() -> None:
        lay(opened)
        order.append("over")

    monkeypatch.setattr(executor, "_do_submit_job", slow)
    ticking = threading.Thread(target=opened.tick, args=(now(),), daemon=True)
    laying = threading.Thread(target=lay_down, daemon=True)
    ticking.start()
    assert handing.wait(30)
    laying.start()
    eventually(lambda: opened.phase is not Phase.GOING)
    may_go_on.set()
    laying.join(30)
    ticking.join(30)
    assert order == ["handed on", "over"]


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
    with opened._jobstores_lock:
        assert [job.id for job in opened._store.get_due_jobs(now())] == ["task"]
    heard: list[object] = []
    opened.add_listener(heard.append, EVENT_JOB_SUBMITTED)
    opened._dispatch_event(JobSubmissionEvent(EVENT_JOB_SUBMITTED, "task", STORE, []))
    assert len(heard) == 1
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
        assert opened.tick(now()) is not None
    assert executor.due == ["task"]
    assert caplog.text.count("bad has no further slot until the next start, since its trigger fails: ZeroDivision") == 1


def test_a_job_that_is_off_gets_no_next_slot(opened: Clock, executor: Noted) -> None:
    opened.add_job(nothing, "interval", hours=1, id="off", next_run_time=None)
    opened.set_next("off", now() - SECOND)
    opened.go()
    opened.tick(now())
    assert executor.due == ["task"]


def test_slots_come_by_the_time_that_is_handed_in(opened: Clock, executor: Noted) -> None:
    # Given a job whose next slot is in three hours by the host's clock. The clock ticks, and is told a later time.
    # The slot is run then; what comes next is told by that time too.
    later = now() + 3 * 3600 * SECOND
    opened.set_next("task", later)
    opened.go()
    assert opened.tick(later - SECOND) == later and executor.due == []
    following = opened.tick(later)
    assert executor.due == ["task"] and following is not None and following > later


def test_each_slot_handed_on_is_told_to_listeners(opened: Clock) -> None:
    heard: list[JobSubmissionEvent] = []
    opened.add_listener(heard.append, EVENT_JOB_SUBMITTED)
    opened.go()
    opened.tick(now())
    assert [(event.job_id, len(event.scheduled_run_times)) for event in heard] == [("task", 1)]


def test_a_job_that_cannot_be_handed_on_holds_up_no_other(caplog: pytest.LogCaptureFixture) -> None:
    class Refuses(Noted):
        def submit_job(self, job: object, run_times: object) -> None:
            if job.id == "bad":  # type: ignore[attr-defined]
                raise OSError("no more")
            super().submit_job(job, run_times)

    clock, executor = Clock(), Refuses()
    for name, seconds in (("bad", 2), ("task", 1)):
        clock.add_job(nothing, "interval", hours=1, id=name, next_run_time=now() - seconds * SECOND)
    clock.open(executor)
    clock.go()
    clock.tick(now())
    assert executor.due == ["task"] and clock.tick(now()) is not None
    assert caplog.text.count("slots of bad get no run, since they could not be handed on: OSError") == 1
    clock.close()


def test_a_job_without_further_slots_leaves_the_clock(opened: Clock, executor: Noted) -> None:
    opened.add_job(nothing, "date", run_date=now() - SECOND, id="once")
    opened.go()
    opened.tick(now())
    assert executor.due == ["task", "once"] or executor.due == ["once", "task"]
    assert opened.get_job("once") is None and opened.get_job("task") is not None
