"""What a task sees of its run."""

import threading
import time
from datetime import timedelta

import pytest

from janitor.errors import Cancelled, DeadlineExceeded, Fenced, Interrupted, Unavailable
from janitor.runs import Run, current_run, running


def test_outside_a_run_a_task_can_be_called_plainly() -> None:
    run = current_run()
    assert (run.id, run.dry_run, run.remaining_seconds) == (0, False, float("inf"))
    assert run.started_at.utcoffset() == timedelta(0)
    run.check()
    run.progress(1, 2, "part", note="half")


def test_inside_a_run_everyone_finds_it() -> None:
    with running(Run(id=5, job="nightly")) as run:
        assert current_run() is run
        with running(Run(id=6)):
            assert current_run().id == 6
        assert current_run() is run
    assert current_run().id == 0


def test_a_run_over_its_deadline_ends_at_a_safe_point() -> None:
    run = Run(deadline=time.monotonic() - 1, timeout_seconds=7)
    for safe_point in (run.check, lambda: run.progress(3), lambda: run.sleep(60)):
        with pytest.raises(DeadlineExceeded, match="over its timeout of 7 s"):
            safe_point()
    assert run.remaining_seconds == 0


def test_a_run_asked_to_stop_ends_with_the_first_reason() -> None:
    run = Run(deadline=time.monotonic() - 1)
    run.ask_to_stop(Interrupted("going down"))
    run.ask_to_stop(Cancelled("by hand"))
    with pytest.raises(Interrupted, match="going down"):
        run.check()


def test_a_sleep_ends_when_the_run_is_asked_to_stop() -> None:
    run = Run()
    threading.Timer(0.05, run.ask_to_stop, [Fenced("another")]).start()
    began = time.monotonic()
    with pytest.raises(Fenced):
        run.sleep(60)
    assert time.monotonic() - began < 30


def test_a_sleep_is_no_longer_than_the_run() -> None:
    run = Run(deadline=time.monotonic() + 0.05, timeout_seconds=0.05)
    began = time.monotonic()
    with pytest.raises(DeadlineExceeded):
        run.sleep(60)
    assert time.monotonic() - began < 30


def test_a_safe_point_asks_whether_the_run_may_go_on() -> None:
    def guard() -> bool:
        raise Unavailable("the leases are old")

    with pytest.raises(Unavailable, match="leases are old"):
        Run(guard=guard).progress(1)


def test_a_safe_point_waits_until_it_turns_out_whether_the_run_may_go_on() -> None:
    # Given a run for which it will turn out soon whether it may write. What happens: it comes to a safe point.
    # What must hold: it waits until then, and no longer than its timeout, or than until it is asked to stop.
    answers = [False, False, True]
    Run(guard=lambda: answers.pop(0)).check()
    assert answers == []
    with pytest.raises(DeadlineExceeded):
        Run(guard=lambda: False, deadline=time.monotonic() + 0.05, timeout_seconds=0.05).check()
    asked = Run(guard=lambda: False)
    threading.Timer(0.05, asked.ask_to_stop, (Cancelled("enough"),)).start()
    with pytest.raises(Cancelled, match="enough"):
        asked.check()
