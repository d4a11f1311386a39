"""What was raised, as data: whatever an exception is, it is taken, within bounds."""

from collections.abc import Callable

import pytest

from janitor.logs.captured import MOST_CHARACTERS, MOST_LINKS, TEXT, capture
from janitor.logs.mask import Mask
from janitor.logs.tracebacks import render
from janitor.state.raised import Raised

SECRET = "hunter2-hunter2"


def of_causes(depth: int) -> ValueError:
    error = ValueError("number 0")
    for number in range(1, depth):
        later = ValueError(f"number {number}")
        later.__cause__ = error
        error = later
    return error


def test_a_long_chain_is_shown_in_part() -> None:
    text = render(of_causes(3_000), Mask())
    assert text.count("ValueError: number") == MOST_LINKS and "... 2,980 exceptions more" in text
    assert text.index("number 9\n") < text.index("2,980") < text.index("number 2990\n") < text.index("number 2999\n")
    assert len(capture(of_causes(50_000), Mask())) == MOST_LINKS


def test_a_circle_of_causes_is_shown_once() -> None:
    first, second = ValueError("first"), KeyError("second")
    first.__context__, second.__cause__ = second, first
    assert [raised.kind for raised in capture(first, Mask())] == ["KeyError", "ValueError"]


def test_wide_and_deep_groups_are_shown_in_part() -> None:
    wide = render(ExceptionGroup("wide", [ValueError(number) for number in range(5_000)]), Mask())
    assert "100 of 5000 in the group" in wide and "and 4,900 more in the group" in wide
    deep: Exception = ValueError("bottom")
    for level in range(40):
        deep = ExceptionGroup(f"level {level}", [deep, deep])
    text = render(deep, Mask())
    assert "level 39" in text and "level 34" in text and "level 33" not in text and len(text) < 50_000


def test_notes_and_long_texts_are_kept_within_bounds() -> None:
    error = ValueError("x" * 1_000_000 + SECRET)
    error.add_note("a note")
    (raised,) = capture(ValueError("short"), Mask())
    assert raised.description == "ValueError: short\n"
    (raised,) = capture(error, Mask([SECRET]))
    assert len(raised.description.encode()) <= TEXT and "bytes in all)" in raised.description
    error = ValueError("short")
    error.add_note("a note")
    assert render(error, Mask()) == "ValueError: short\na note\n"


class Odd(Exception):
    def __init__(self, fails: str) -> None:
        super().__init__("odd")
        self.fails = fails

    def __getattribute__(self, name: str) -> object:
        if name == object.__getattribute__(self, "fails"):
            raise SystemExit(name)
        return object.__getattribute__(self, name)


@pytest.mark.parametrize("name", ["__cause__", "__context__", "__suppress_context__", "__notes__", "__traceback__"])
def test_an_exception_that_does_not_answer_is_told(name: str) -> None:
    try:
        try:
            raise ValueError("before")
        except ValueError:
            raise Odd(name) from None
    except Odd as exc:
        text = render(exc, Mask(), variables=True)
    assert "Odd: odd" in text and ("in test_an_exception" in text or name == "__traceback__")


def test_code_that_cannot_be_read_is_left_out() -> None:
    class Loader:
        def get_source(self, name: str) -> str:
            raise RuntimeError("no source")

    names = {"__name__": "odd", "__loader__": Loader()}
    try:
        exec(compile("raise ValueError('from nowhere')", "<nowhere>", "exec"), names)
    except ValueError as exc:
        text = render(exc, Mask())
    assert '  File "<nowhere>", line 1, in <module>\n' in text and "ValueError: from nowhere" in text


def capture_of(fails: Callable[[], None]) -> Raised:
    try:
        fails()
    except ValueError as exc:
        return capture(exc, Mask(), variables=True)[0]
    raise AssertionError


def test_a_value_with_very_many_parts_is_shown_in_part() -> None:
    def fails() -> None:
        many: object = 0
        for _ in range(6):
            many = [many] * 200
        everything = {f"name{number}": many for number in range(1_000)}
        raise ValueError(len(everything))

    values = dict(capture_of(fails).frames[-1].variables)
    assert values["many"].startswith("[[[[") and values["everything"].startswith("{")
    assert max(map(len, values.values())) <= MOST_CHARACTERS
