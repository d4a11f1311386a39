"""Tracebacks: what was raised, taken as data and written as text.

Traceback (most recent call last):
  File "report.py", line 12, in nightly
       10     rows = read(url)
       11
    >  12     raise ValueError("no rows")
       13
      rows = []                                 the local variables, if they are asked for
ValueError: no rows
"""

from collections.abc import Iterator

from janitor.logs.captured import MOST_FRAMES, Mask, capture
from janitor.state.raised import Frame, Raised


def render(error: BaseException, mask: Mask, variables: bool = False) -> str:
    """An exception and the exceptions that led to it, as text without secrets; `variables` adds local variables.

    It has bounds, and it cannot fail.
    """
    return mask(as_text(capture(error, mask, variables)))


def as_text(chain: tuple[Raised, ...]) -> str:
    """A chain of exceptions as text, with a line feed at its end; it may hold secrets."""
    return "".join(_lines(chain))


def members_as_text(raised: Raised) -> str:
    """The members of an exception group as text, indented; empty for other exceptions."""
    return "".join(_members(raised))


def _lines(chain: tuple[Raised, ...]) -> Iterator[str]:
    for at, raised in enumerate(chain):
        if raised.before:
            yield f"\n... {raised.before:,} exceptions more, each led to the next ...\n"
        if at and raised.from_cause:
            yield "\nThe above exception was the direct cause of the following exception:\n\n"
        elif at:
            yield "\nDuring handling of the above exception, another exception occurred:\n\n"
        if raised.frames:
            yield "Traceback (most recent call last):\n"
        for number, frame in enumerate(raised.frames):
            if raised.left_out and number == MOST_FRAMES // 2:
                yield f"  ... {raised.left_out} frames more ...\n"
            yield from _frame_lines(frame)
        yield raised.description
        yield from _members(raised)


def _frame_lines(frame: Frame) -> Iterator[str]:
    yield f'  File "{frame.file}", line {frame.line}, in {frame.function}\n'
    for number, text in frame.code:
        yield f"    {'>' if number == frame.line else ' '} {number:>4} {text}\n"
    for name, value in frame.variables:
        yield f"      {name} = {value}\n"


def _members(raised: Raised) -> Iterator[str]:
    for number, chain in enumerate(raised.members, 1):
        yield f"  ---- {number} of {len(raised.members) + raised.members_left_out} in the group ----\n"
        yield "".join(f"  | {line}\n" for line in as_text(chain).splitlines())
    if raised.members_left_out:
        yield f"  ---- and {raised.members_left_out:,} more in the group ----\n"
