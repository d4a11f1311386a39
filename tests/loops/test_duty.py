"""A duty: no error ends it, each failure is told once, and a person learns if it fails again and again."""

import logging
from collections.abc import Callable

import pytest

from janitor.errors import JanitorError, Unavailable
from janitor.loops import Duty, Trouble, named_errors

Raise = Callable[[], BaseException | None]


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class Body:
    """Raises what a test puts into `error`."""

    def __init__(self) -> None:
        self.error: BaseException | None = None

    def __call__(self) -> str:
        if self.error is not None:
            raise self.error
        return "done"


class Unspeakable(Exception):
    """An error that cannot be described."""

    def __str__(self) -> str:
        raise RuntimeError("not even this")


def deep(causes: int) -> Exception:
    """An error with a long chain of causes."""
    error = ValueError("the first")
    for number in range(causes):
        later = ValueError(f"number {number}")
        later.__cause__ = error
        error = later
    return error


HOSTILE: list[Callable[[], BaseException]] = [
    lambda: SystemExit(3),
    KeyboardInterrupt,
    lambda: GeneratorExit("from elsewhere"),
    MemoryError,
    Unspeakable,
    lambda: UnicodeEncodeError("ascii", "pässwörd", 1, 2, "ordinal not in range"),
    lambda: deep(3_000),
    lambda: BaseExceptionGroup("several", [ValueError("one"), KeyboardInterrupt()]),
]


@pytest.mark.parametrize("make", HOSTILE)
def test_whatever_it_raises_it_can_be_done_again(make: Callable[[], BaseException]) -> None:
    body = Body()
    duty = Duty("work", body)
    body.error = make()
    assert duty.do() is None and duty.has_failed
    body.error = None
    assert duty.do() == "done" and not duty.has_failed and duty.failed == 1


class Liar(Exception):
    """An error that cannot be asked for its class."""

    @property  # type: ignore[misc]
    def __class__(self) -> type:
        raise ValueError("none of your business")


def test_an_error_that_cannot_be_asked_for_its_class_is_a_failure() -> None:
    body = Body()
    duty = Duty("work", body, passes=named_errors)
    body.error = Liar()
    try:
        assert duty.do() is None and duty.failed == 1
        with duty.aside("a record"):
            raise Liar
    except (Liar, ValueError):  # the report of a failure would ask it too
        passed = True
    else:
        passed = False
    assert not passed and duty.failed == 2


def test_a_failure_is_told_once_and_again_if_it_changes(caplog: pytest.LogCaptureFixture) -> None:
    body = Body()
    duty = Duty("work", body)
    for error in (ValueError("a"), ValueError("b"), KeyError("c"), ValueError("d")):
        body.error = error
        duty.do()
    assert [record.getMessage() for record in caplog.records] == [
        "work failed, and goes on: ValueError: a",
        "work failed, and goes on: KeyError: 'c'",
    ]
    assert all(record.exc_info for record in caplog.records) and duty.failed == 4


def test_pauses_grow_to_a_minute_and_end_with_a_success() -> None:
    body = Body()
    duty = Duty("work", body)
    body.error, pauses = ValueError(), []
    for _ in range(9):
        duty.do()
        pauses.append(duty.pause(0.5))
    assert pauses == [1, 2, 4, 8, 16, 32, 60, 60, 60]
    body.error = None
    duty.do()
    # Its failures are not over yet: somebody has to look within a minute.
    assert duty.pause(0.5) == 0.5 and duty.pause(None) == 60 == duty.pause(900.0)


def test_it_is_in_trouble_until_it_does_well_for_a_minute(caplog: pytest.LogCaptureFixture) -> None:
    # Given a duty that fails three times in ten seconds, does well, fails once more, and then does well.
    # A listener hears of one trouble that begins, and of its end a minute after the last failure.
    caplog.set_level(logging.INFO)
    body, clock, heard = Body(), Clock(), list[tuple[str, int, bool]]()

    def hear(trouble: Trouble, over: bool) -> None:
        heard.append((trouble.why, trouble.failures, over))

    duty = Duty("work", body, on_trouble=hear, clock=clock)
    for now, error in ((0, "a"), (5, "b"), (9, None), (10, "c"), (30, None), (31, "d"), (60, None), (90, None)):
        clock.now, body.error = float(now), ValueError(error) if error else None
        duty.do()
        assert (duty.trouble is not None) is (now >= 10), now
    assert heard == [("ValueError: c", 3, False)]
    clock.now = 91.0
    duty.do()
    assert heard[1:] == [("ValueError: d", 4, True)] and duty.trouble is None
    assert caplog.messages[-1] == "work goes well again, after 4 failures" and duty.pause(900.0) == 900.0


def test_a_listener_that_raises_ends_nothing() -> None:
    def hear(trouble: Trouble, over: bool) -> None:
        raise ZeroDivisionError

    body = Body()
    body.error = ValueError()
    duty = Duty("work", body, on_trouble=hear)
    assert [duty.do() for _ in range(5)] == [None] * 5 and duty.trouble is not None


def test_one_record_is_set_aside_and_the_rest_goes_on(caplog: pytest.LogCaptureFixture) -> None:
    duty, done = Duty("work", lambda: None), list[int]()
    for number in (4, 0, 2, 0, 1):
        with duty.aside(f"record {number}"):
            done.append(8 // number)
    assert done == [2, 4, 8] and duty.failed == 2 and not duty.has_failed
    assert caplog.messages == [
        "work: record 0 is set aside, and the rest goes on: ZeroDivisionError: integer division or modulo by zero"
    ]


def test_a_server_that_is_away_is_no_fault_of_a_record() -> None:
    duty = Duty("work", lambda: None)
    with pytest.raises(Unavailable), duty.aside("record 1"):
        raise Unavailable("it is away")
    assert duty.failed == 0


def test_errors_may_be_let_pass() -> None:
    body = Body()
    duty = Duty("work", body, passes=named_errors)
    body.error = JanitorError("it is away")
    with pytest.raises(JanitorError):
        duty.do()
    body.error = ValueError()
    assert duty.do() is None and duty.failed == 1


def test_secrets_are_masked_and_long_texts_cut() -> None:
    body = Body()
    duty = Duty("work", body, mask=lambda text: text.replace("s3cret", "***"))
    body.error = ValueError("s3cret " * 10_000)
    for _ in range(3):
        duty.do()
    assert duty.trouble is not None
    assert "s3cret" not in str(duty.trouble) and "***" in str(duty.trouble) and len(str(duty.trouble)) < 500
