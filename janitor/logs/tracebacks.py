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

import linecache
import reprlib
import traceback
from collections.abc import Callable, Iterator
from types import FrameType

from janitor.guard import foreign_code
from janitor.state.raised import Frame, Raised

AROUND = 2
"""So many lines are shown before and after the line of a frame."""
MOST_CHARACTERS = 1_024
"""So much of a variable's value is shown."""
MOST_FRAMES = 50
"""Of more frames, the first half and the last half of so many are shown: a recursion is the same all through."""

_repr = reprlib.Repr()
_repr.maxlevel, _repr.maxstring, _repr.maxother = 4, 4 * MOST_CHARACTERS, 4 * MOST_CHARACTERS
_repr.maxlist = _repr.maxtuple = _repr.maxset = _repr.maxfrozenset = _repr.maxdict = _repr.maxdeque = _repr.maxarray = (
    200
)

Mask = Callable[[str], str]


def render(error: BaseException, mask: Mask, variables: bool = False) -> str:
    """An exception and the exceptions that led to it, as text without secrets; `variables` adds local variables."""
    return mask(as_text(capture(error, mask, variables)))


def capture(error: BaseException, mask: Mask, variables: bool = False) -> tuple[Raised, ...]:
    """An exception and the exceptions that led to it, as data, the first cause first.

    `variables` adds each frame's local variables. Each is masked before it is cut, so that no part of a secret is left.
    Everything else is as it is, and still to be masked.
    """
    return tuple(_chain(error, mask, variables, set()))


def as_text(chain: tuple[Raised, ...]) -> str:
    """A chain of exceptions as text, with a line feed at its end; it may hold secrets."""
    return "".join(_lines(chain))


def members_as_text(raised: Raised) -> str:
    """The members of an exception group as text, indented; empty for other exceptions."""
    return "".join(_members(raised))


def _chain(error: BaseException, mask: Mask, variables: bool, seen: set[int]) -> Iterator[Raised]:
    seen.add(id(error))
    before = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if before is not None and id(before) not in seen:
        yield from _chain(before, mask, variables, seen)
    frames, left_out = _frames(error, mask, variables)
    members = error.exceptions if isinstance(error, BaseExceptionGroup) else ()
    yield Raised(
        module=type(error).__module__,
        kind=type(error).__qualname__,
        description="".join(traceback.format_exception_only(error)),
        frames=frames,
        left_out=left_out,
        from_cause=error.__cause__ is not None,
        members=tuple(tuple(_chain(member, mask, variables, seen)) for member in members),
    )


def _frames(error: BaseException, mask: Mask, variables: bool) -> tuple[tuple[Frame, ...], int]:
    frames, half = list(traceback.walk_tb(error.__traceback__)), MOST_FRAMES // 2
    shown = frames if len(frames) <= MOST_FRAMES else frames[:half] + frames[-half:]
    return tuple(_frame(frame, line, mask, variables) for frame, line in shown), len(frames) - len(shown)


def _frame(frame: FrameType, line: int, mask: Mask, variables: bool) -> Frame:
    code = frame.f_code
    linecache.checkcache(code.co_filename)
    around = range(max(1, line - AROUND), line + AROUND + 1)
    lines = [(number, linecache.getline(code.co_filename, number, frame.f_globals).rstrip()) for number in around]
    values = sorted(frame.f_locals.items()) if variables else ()
    return Frame(
        file=code.co_filename,
        line=line,
        function=code.co_name,
        code=tuple((number, text) for number, text in lines if text),
        variables=tuple((name, _shown(value, mask)) for name, value in values),
    )


def _shown(value: object, mask: Mask) -> str:
    text = ""
    with foreign_code(_no_repr) as failed:
        text = _repr.repr(value)
    if failed.instead is not None:
        return failed.instead
    text = mask(text).replace("\n", "\\n")
    return text if len(text) <= MOST_CHARACTERS else text[: MOST_CHARACTERS - 4] + " ..."


def _no_repr(error: BaseException) -> str:
    return f"(its repr failed: {type(error).__name__})"


def _lines(chain: tuple[Raised, ...]) -> Iterator[str]:
    for at, raised in enumerate(chain):
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
        yield f"  ---- {number} of {len(raised.members)} in the group ----\n"
        yield "".join(f"  | {line}\n" for line in as_text(chain).splitlines())
