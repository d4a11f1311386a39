"""The duties of a process: which are in trouble, and who hears of it."""

import logging

import pytest

from janitor.loops import Loops


def fail() -> None:
    raise ValueError("the password is s3cret")


def test_troubles_are_those_that_fail_again_and_again() -> None:
    heard = list[tuple[str, bool]]()
    loops = Loops(lambda text: text.replace("s3cret", "***"))
    loops.listen(lambda trouble, over: heard.append((trouble.duty, over)))
    good, bad, once = loops.duty("good", str), loops.duty("bad", fail), loops.duty("once", fail)
    for duty in (good, bad, bad, bad, bad, once):
        duty.do()
    (trouble,) = loops.troubles
    assert (trouble.duty, trouble.failures, trouble.why) == ("bad", 4, "ValueError: the password is ***")
    assert loops.failures == {"good": 0, "bad": 4, "once": 1} and heard == [("bad", False)]


def test_a_duty_made_anew_takes_the_place_of_the_old() -> None:
    loops = Loops()
    for _ in range(3):
        loops.duty("work", fail).do()
    assert loops.failures == {"work": 1} and loops.troubles == []


def test_a_loop_is_a_duty_of_its_process() -> None:
    loops = Loops()
    loop = loops.loop("work", lambda: None)
    assert list(loops.failures) == ["work"] == [loop.duty.name]


def test_a_trouble_ends_if_nothing_is_done_any_more(caplog: pytest.LogCaptureFixture) -> None:
    # Given records of which three fail, and then no more come. What must hold: five minutes later the trouble is over,
    # and whoever listens is told once.
    caplog.set_level(logging.INFO)
    now, heard = [0.0], list[tuple[str, bool]]()
    loops = Loops(clock=lambda: now[0])
    loops.listen(lambda trouble, over: heard.append((trouble.duty, over)))
    duty = loops.records("live streams")
    for _ in range(3):
        with duty.aside("the stream of a run"):
            fail()
    for now[0], in_trouble in ((299.0, True), (300.0, False), (301.0, False)):
        loops.end_old_troubles()
        assert bool(loops.troubles) is in_trouble
    assert heard == [("live streams", False), ("live streams", True)]
    assert caplog.messages[-1] == "live streams has not failed for 300 s: its 3 failures are over"


def test_what_is_noted_is_a_trouble_until_it_is_over(caplog: pytest.LogCaptureFixture) -> None:
    # Given something that a person must know, and that is no duty's failure. It is noted twice, then with another
    # sentence, and is over. It is told to listeners once, to the log with each new sentence; its end is told once.
    caplog.set_level(logging.INFO)
    heard, loops = list[tuple[str, bool]](), Loops(lambda text: text.replace("s3cret", "***"))
    loops.listen(lambda trouble, over: heard.append((str(trouble), over)))
    for why in ("s3cret is wrong", "s3cret is wrong", "all is wrong"):
        loops.note("the key", why)
    loops.note("the weather", "it rains")
    assert not loops.troubles and [str(one) for one in loops.noted] == ["all is wrong", "it rains"]
    assert [(one.duty, one.failures) for one in loops.noted] == [("the key", 0), ("the weather", 0)]
    for _ in range(2):
        loops.note_over("the key")
    assert [one.duty for one in loops.noted] == ["the weather"]
    assert heard == [("*** is wrong", False), ("it rains", False), ("all is wrong", True)]
    assert caplog.messages == ["*** is wrong", "all is wrong", "it rains", "the key: well again"]
