"""Tracebacks.

Given: an exception with causes, groups, deep recursion or odd variables.
What happens: it is rendered, with variables or without.
What must hold: each frame has its code, and no secret is left, whole or in part.
"""

from janitor.logs.captured import MOST_CHARACTERS
from janitor.logs.mask import Mask
from janitor.logs.tracebacks import render

SECRET = "hunter2-hunter2"


def inner(password: str) -> None:
    long = "x" * 5_000
    nearly = "y" * (MOST_CHARACTERS - 10) + password
    lines = ["a", "b"]
    raise ValueError(f"no {lines} {len(long)} {len(nearly)}")


def outer() -> None:
    try:
        inner(SECRET)
    except ValueError as exc:
        raise KeyError("outer") from exc


def caught() -> Exception:
    try:
        outer()
    except KeyError as exc:
        return exc
    raise AssertionError


def test_each_frame_has_five_lines_of_code() -> None:
    text = render(caught(), Mask())
    first = inner.__code__.co_firstlineno
    around = text[text.index("in inner") :].splitlines()[1:4]
    assert [line.replace(">", " ").split()[0] for line in around] == [str(first + 2), str(first + 3), str(first + 4)]
    assert around[2].startswith("    > ") and "raise ValueError(" in around[2]
    around = text[text.index("in outer") :].splitlines()[1:6]
    first = outer.__code__.co_firstlineno
    assert [line.replace(">", " ").split()[0] for line in around] == [str(first + line) for line in range(5)]
    assert "The above exception was the direct cause of the following exception:" in text
    assert text.rstrip().endswith("KeyError: 'outer'")
    assert "password = " not in text


def test_variables_are_masked_before_they_are_cut() -> None:
    text = render(caught(), Mask([SECRET]), variables=True)
    assert "      password = '***'" in text and "      lines = ['a', 'b']" in text
    assert SECRET not in text and SECRET[:5] not in text
    values = [line.partition(" = ")[2] for line in text.splitlines() if line.startswith("      ") and " = " in line]
    assert max(map(len, values)) == MOST_CHARACTERS


def test_a_value_that_cannot_be_shown_is_told() -> None:
    class Odd:
        def __repr__(self) -> str:
            raise RuntimeError("no")

    def fails() -> None:
        odd = Odd()
        raise ValueError(type(odd).__name__)

    try:
        fails()
    except ValueError as exc:
        text = render(exc, Mask(), variables=True)
    assert "odd = " in text and "ValueError: Odd" in text


def test_a_deep_recursion_is_shown_in_part() -> None:
    def down(left: int) -> None:
        if left == 0:
            raise ValueError("bottom")
        down(left - 1)

    try:
        down(300)
    except ValueError as exc:
        text = render(exc, Mask())
    assert "frames more ..." in text and text.count("in test_a_deep") <= 60 and "ValueError: bottom" in text


def test_each_exception_of_a_group_is_told() -> None:
    group = ExceptionGroup("several", [ValueError("first"), caught()])
    text = render(group, Mask())
    assert "1 of 2 in the group" in text and "ValueError: first" in text and "  | KeyError: 'outer'" in text
