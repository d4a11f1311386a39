"""Lanes: one run for each job, begun in the order of the clock."""

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import URL

from janitor.engine import lanes
from janitor.engine.occupied import Waiting
from janitor.engine.runner import Runner
from janitor.engine.stages import Slot
from janitor.errors import Skip, Unavailable
from janitor.jobs.slots import Slots
from janitor.scheduler import Scheduler
from janitor.state import run_records
from janitor.state.database import STATEMENT_SECONDS
from tests.small_engine import eventually, nothing, now, outcomes, remember_run, rows_of, runner_for, settings_for


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


class Street:
    """Lanes with one thread, and a task that holds it until it is let go."""

    def __init__(self, runner: Runner, clock: Scheduler) -> None:
        self.runner, self.clock = runner, clock
        self.let_go, self.began = threading.Event(), list[str]()
        self.lanes = lanes.Lanes(clock.jobs, runner)
        self.add("hold", self.hold)
        self.lanes.enter(clock.jobs["hold"], Slot(NOON))
        assert eventually(lambda: self.began == ["hold"])

    def hold(self) -> None:
        self.began.append("hold")
        assert self.let_go.wait(30)

    def add(self, job: str, task: Callable[[], None] | None = None, **options: Any) -> None:
        self.clock.add_job(task or partial(self.began.append, job), "interval", minutes=1, id=job, **options)

    def enter(self, job: str, *minutes: int) -> None:
        for minute in minutes:
            self.lanes.enter(self.clock.jobs[job], Slot(NOON + minute * MINUTE))

    def opened(self) -> list[tuple[str, int | None, str | None, str | None]]:
        """Let all go on to its end; the records: job, minute, outcome, reason."""
        self.let_go.set()
        assert self.lanes.wait(30)
        self.runner.flush()
        return [
            (row.job, row.slot_at and round((row.slot_at - NOON) / MINUTE), row.outcome, row.reason)
            for row in rows_of(self.runner.state)
            if row.job != "hold"
        ]


NOON = now().replace(hour=12, minute=0, second=0, microsecond=0)
MINUTE = timedelta(minutes=1)
BUSY = "all threads of RUNS_AT_ONCE were busy"


@pytest.fixture
def street(lite_url: URL, tmp_path: Path) -> Iterator[Street]:
    with runner_for(settings_for(lite_url, tmp_path, RUNS_AT_ONCE="1")) as runner:
        made = Street(runner, Scheduler(runner.settings))
        yield made
        made.let_go.set()
        assert made.lanes.wait(30)


def test_runs_wait_for_a_thread_in_the_order_in_which_they_came(street: Street) -> None:
    jobs = [f"job{number}" for number in (3, 1, 4, 2, 5)]
    for job in jobs:
        street.add(job)
        street.enter(job, 0)
    assert street.lanes.waiting == 5 and street.began == ["hold"]
    assert street.opened() == [(job, 0, "succeeded", None) for job in jobs]
    assert street.began == ["hold", *jobs] and street.lanes.waiting == 0


def test_a_slot_that_waits_gives_place_to_the_next_slot(street: Street) -> None:
    # Given a job whose slot waits for a thread, while its next two slots come due, and another job waits behind it.
    # What must hold: the newest slot runs, at the place of the first; the others are missed, for the true reason.
    for job in ("often", "other"):
        street.add(job)
    street.enter("often", 0)
    street.enter("other", 0)
    street.enter("often", 1, 2, 2)
    found = street.opened()
    assert street.began == ["hold", "often", "other"]
    # Slots in a row that were missed for one reason share a record.
    assert sorted(found) == [
        ("often", 0, "missed", BUSY),
        ("often", 2, "succeeded", None),
        ("other", 0, "succeeded", None),
    ]
    (missed,) = (row for row in rows_of(street.runner.state, "often") if row.outcome == "missed")
    assert (missed.slots, missed.slot_until_at) == (2, NOON + MINUTE)


def test_slots_that_are_counted_anew_while_one_waits_have_one_outcome_each(street: Street) -> None:
    street.add("often")
    street.enter("often", 0)
    job, again = street.clock.jobs["often"], Slots(NOON, NOON + 2 * MINUTE, 3)
    before = Slots(NOON, NOON + MINUTE, 2)
    street.lanes.take(job, again, before, NOON + 2 * MINUTE, "it was away", run_records.CATCH_UP)
    assert sorted(street.opened(), key=str) == [
        ("often", 0, "missed", "it was away"),
        ("often", 2, "succeeded", None),
    ]


def test_who_has_an_own_thread_or_is_asked_by_hand_waits_for_nobody(street: Street) -> None:
    street.add("own", own_thread=True)
    street.add("asked")
    street.enter("own", 0)
    run_id = street.lanes.run_now(street.clock.jobs["asked"], dry_run=False)
    assert eventually(lambda: sorted(street.began) == ["asked", "hold", "own"]) and run_id > 0
    street.add("waits")
    street.enter("waits", 0)
    with pytest.raises(Skip, match=f"it is due and waits already: {BUSY}"):
        street.lanes.run_now(street.clock.jobs["waits"], dry_run=False)


def test_what_waited_for_too_long_is_missed(street: Street) -> None:
    street.add("punctual", catch_up="none", misfire_grace_time=0.01)
    street.add("patient", catch_up="none", misfire_grace_time=60)
    for job in ("punctual", "patient"):
        street.enter(job, 0)
    time.sleep(0.02)
    assert sorted(street.opened()) == [("patient", 0, "succeeded", None), ("punctual", 0, "missed", BUSY)]


@pytest.mark.parametrize("kept", [False, True])
def test_a_job_that_is_taken_out_or_off_while_it_waits_is_missed(street: Street, kept: bool) -> None:
    street.add("gone")
    street.enter("gone", 0)
    hold, gone = street.clock.jobs["hold"], replace(street.clock.jobs["gone"], disabled_because="switched off")
    street.clock.jobs.replace({"hold": hold, **({"gone": gone} if kept else {})})
    said = "the job was taken out, or switched off, while it waited for a thread"
    assert street.opened() == [("gone", 0, "missed", said)]


def test_what_waits_is_another_daemon_s_once_this_one_stands_by(street: Street) -> None:
    street.add("late")
    street.enter("late", 0)
    street.runner.leadership.take(None)
    assert street.opened() == [] and street.began == ["hold"]


def test_what_waited_before_a_daemon_stood_by_does_not_run_when_it_leads_again(street: Street) -> None:
    # Given: a slot that waits. Happens: this daemon stands by. The other records the slot as one of a stretch that was
    # missed. Then this daemon leads again. Must hold: the slot does not run.
    street.add("late")
    street.enter("late", 1)
    fence = street.runner.lead.fence
    street.runner.leadership.take(None)
    street.lanes.stand_by()
    stretch = {"slot_until_at": NOON + 2 * MINUTE, "slots": 3, "attempts": 0}
    remember_run(street.runner.state, "late", NOON, "missed", **stretch)
    street.runner.leadership.take(fence)
    assert street.opened() == [("late", 0, "missed", None)] and street.began == ["hold"]


def test_what_waits_and_is_still_to_come_is_left_to_the_clock(street: Street) -> None:
    for job in ("past", "ahead"):
        street.add(job)
    street.enter("past", 1)
    street.enter("ahead", 2)
    street.lanes.withdraw_after(NOON + MINUTE)
    assert street.opened() == [("past", 1, "succeeded", None)]


def test_what_waits_at_the_end_is_left_to_the_next_start(street: Street) -> None:
    street.add("late")
    street.enter("late", 0)
    street.lanes.close()
    assert street.opened() == [] and street.began == ["hold"]


def test_a_task_that_is_stuck_holds_no_thread_from_the_others(street: Street) -> None:
    # Given the only thread, held by a run that goes on beyond its time. What must hold: the next slot has a thread.
    street.add("next")
    (live,) = street.runner.live.values()
    live.run.deadline = time.monotonic() - 1
    street.enter("next", 0)
    assert eventually(lambda: street.began == ["hold", "next"])


def test_what_waits_for_a_thread_that_gets_stuck_is_handed_out_by_the_clock(street: Street) -> None:
    street.add("next")
    street.enter("next", 0)
    (live,) = street.runner.live.values()
    live.run.deadline = time.monotonic() - 1
    street.lanes.hand_out()
    assert eventually(lambda: street.began == ["hold", "next"])


def test_who_waits_for_a_run_s_end_is_told_once_it_is_on_record(lite: Runner, clock: Scheduler) -> None:
    seen = []
    clock.add_job(nothing, "interval", hours=1)
    made = lanes.Lanes(clock.jobs, lite, lambda: seen.append((outcomes(lite.state), made.wait(0))))
    made.enter(clock.jobs["nothing"], Slot(now()))
    assert eventually(lambda: seen) == [(["succeeded"], True)]


def test_the_recorder_may_take_a_little_longer_than_a_statement() -> None:
    assert STATEMENT_SECONDS < lanes.RECORDER_SECONDS <= STATEMENT_SECONDS + 3


def test_nobody_overtakes_what_waits_although_a_thread_is_free(lite_url: URL, tmp_path: Path) -> None:
    # Given: one thread, which has just become free, and a slot that waits for it. What happens: another slot is due.
    # What must hold: the slot that waited runs first.
    began: list[str] = []
    with runner_for(settings_for(lite_url, tmp_path, RUNS_AT_ONCE="1")) as runner:
        clock = Scheduler(runner.settings)
        for job in ("first", "second"):
            clock.add_job(partial(began.append, job), "interval", minutes=1, id=job)
        made = lanes.Lanes(clock.jobs, runner)
        assert made._occupied.take("first")
        made._occupied.let_wait(Waiting(clock.jobs["first"], Slot(NOON), time.monotonic()))
        made.enter(clock.jobs["second"], Slot(NOON))
        assert made.wait(30) and began == ["first", "second"]
