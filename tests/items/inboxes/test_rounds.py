"""The rounds of a run of an inbox: when another is due, and which endings are quiet."""

import time

import pytest

from janitor.errors import Cancelled, DeadlineExceeded, Fenced, Interrupted, Unavailable
from janitor.items.ends import Message, Verdict
from janitor.items.inboxes import rounds as module
from janitor.items.inboxes.rounds import Rounds, until_asked_to_stop
from janitor.runs import Run, running


def test_a_run_goes_on_until_its_hour_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    with running(Run()):
        rounds = Rounds()
        assert rounds.go_on() and rounds.go_on(was_idle=True)
    monkeypatch.setattr(module, "RUN_SECONDS", -1.0)
    with running(Run()):
        assert not Rounds().go_on()


def test_a_run_by_hand_ends_when_nothing_is_left() -> None:
    with running(Run(by_hand=True)):
        rounds = Rounds()
        assert rounds.go_on() and not rounds.go_on(was_idle=True)
        began = time.monotonic()
        rounds.rest(600)
        assert time.monotonic() - began < 60


def test_what_came_of_messages_is_counted() -> None:
    rounds = Rounds()
    rounds.add([Verdict(Message(b"a")), Verdict(Message(b"b"), "no JSON"), Verdict(Message(b"c"))])
    rounds.add([Verdict(Message(b"d"))])
    assert rounds.counts == {"received": 4, "items": 3, "dead_letters": 1} and rounds.received == 4


def test_a_rest_ends_when_the_run_is_to_stop() -> None:
    run = Run()
    run.ask_to_stop(Interrupted("the process is shutting down"))
    with running(run), pytest.raises(Interrupted):
        Rounds().rest(600)


@pytest.mark.parametrize("error", [Interrupted("shutting down"), DeadlineExceeded("over its timeout")])
def test_a_shutdown_and_the_end_of_its_time_are_quiet(error: Exception) -> None:
    with until_asked_to_stop():
        raise error


@pytest.mark.parametrize(
    "error", [Fenced("taken over"), Cancelled("by Anna"), Unavailable("away"), ZeroDivisionError()]
)
def test_all_other_endings_pass(error: Exception) -> None:
    with pytest.raises(type(error)), until_asked_to_stop():
        raise error
