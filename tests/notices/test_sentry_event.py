"""Sentry's event for what was raised.

Given: an exception, with a cause, a group or a syntax error.
What happens: it is taken as data and written as Sentry's exceptions.
What must hold: type, module, text and frames are those of Python, the first cause first.
"""

import pickle

import pytest

from janitor.errors import Rejected
from janitor.logs.captured import capture
from janitor.logs.mask import Mask
from janitor.notices import sentry_event


def with_cause() -> None:
    try:
        int("x")
    except ValueError as exc:
        raise Rejected("no: a number: is wanted") from exc


def written(error: BaseException) -> list[dict[str, object]]:
    chain = capture(error, Mask())
    return sentry_event.exceptions(pickle.loads(pickle.dumps(chain)))


def test_a_cause_comes_before_what_it_caused() -> None:
    with pytest.raises(Rejected) as caught:
        with_cause()
    cause, error = written(caught.value)
    assert (cause["type"], cause["module"]) == ("ValueError", None)
    assert cause["value"] == "invalid literal for int() with base 10: 'x'"
    assert (error["type"], error["module"]) == ("Rejected", "janitor.errors")
    assert error["value"] == "no: a number: is wanted"


def test_a_frame_has_its_line_and_the_lines_around() -> None:
    with pytest.raises(Rejected) as caught:
        with_cause()
    _, error = capture(caught.value, Mask())
    frame = sentry_event.exceptions((error,))[0]["stacktrace"]["frames"][-1]
    first = with_cause.__code__.co_firstlineno
    assert (frame["function"], frame["lineno"], frame["filename"]) == ("with_cause", first + 4, __file__)
    assert frame["pre_context"] == ['        int("x")', "    except ValueError as exc:"]
    assert frame["context_line"] == '        raise Rejected("no: a number: is wanted") from exc'
    assert frame["post_context"] == []


def test_an_exception_without_a_frame_has_no_stack() -> None:
    assert written(KeyError("gone")) == [{"type": "KeyError", "module": None, "value": "'gone'"}]


def test_the_members_of_a_group_stand_in_its_text() -> None:
    (group,) = written(ExceptionGroup("several", [ValueError("first"), Rejected("second")]))
    assert group["type"] == "ExceptionGroup"
    text = str(group["value"])
    assert text.startswith("several (2 sub-exceptions)\n  ---- 1 of 2 in the group ----\n  | ValueError: first")
    assert "  | janitor.errors.Rejected: second" in text


def test_a_syntax_error_is_told_by_its_reason() -> None:
    with pytest.raises(SyntaxError) as caught:
        compile("a b", "odd.py", "exec")
    assert written(caught.value)[-1]["value"] == "invalid syntax"


def test_the_event_of_a_very_long_chain_is_bounded() -> None:
    error = ValueError("x" * 1_000_000)
    for number in range(3_000):
        later = ValueError(str(number))
        later.__cause__ = error
        error = later
    event = written(error)
    assert len(event) == 20 and event[-1]["value"] == "2999"
    assert len(str(event)) < 100_000
