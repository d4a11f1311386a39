"""Tracebacks for the record: five lines of code around each frame, and its variables where that is asked for."""

import linecache
import reprlib
import traceback
from collections.abc import Callable, Iterator
from types import FrameType, TracebackType

AROUND = 2
"""How many lines are shown on either side of the one that a frame was at."""
MOST_CHARACTERS = 1_024
"""How much is shown of a variable's value."""
MOST_FRAMES = 50
"""Of more frames the first and the last half of so many are shown: a recursion is the same all through."""

_repr = reprlib.Repr()
_repr.maxlevel, _repr.maxstring, _repr.maxother = 4, 4 * MOST_CHARACTERS, 4 * MOST_CHARACTERS
_repr.maxlist = _repr.maxtuple = _repr.maxset = _repr.maxfrozenset = _repr.maxdict = _repr.maxdeque = _repr.maxarray = (
    200
)


def render(error: BaseException, mask: Callable[[str], str], variables: bool = False) -> str:
    """An exception with its traceback, and those that led to it, without secrets.

    `variables` adds each frame's local variables; each is masked before it is cut, so that no part of a secret is left.
    """
    return mask("".join(_chain(error, mask, variables, set())))


def _chain(error: BaseException, mask: Callable[[str], str], variables: bool, seen: set[int]) -> Iterator[str]:
    seen.add(id(error))
    cause, context = error.__cause__, None if error.__suppress_context__ else error.__context__
    before = cause or context
    if before is not None and id(before) not in seen:
        yield from _chain(before, mask, variables, seen)
        link = "The above exception was the direct cause of" if cause else "During handling of the above exception,"
        yield f"\n{link} {'the following exception' if cause else 'another exception occurred'}:\n\n"
    if error.__traceback__ is not None:
        yield "Traceback (most recent call last):\n"
        yield from _frames(error.__traceback__, mask, variables)
    yield from traceback.format_exception_only(error)
    if isinstance(error, BaseExceptionGroup):
        for number, one in enumerate(error.exceptions, 1):
            yield f"  ---- {number} of {len(error.exceptions)} in the group ----\n"
            text = "".join(_chain(one, mask, variables, seen))
            yield "".join(f"  | {line}\n" for line in text.splitlines())


def _frames(trace: TracebackType, mask: Callable[[str], str], variables: bool) -> Iterator[str]:
    frames = list(traceback.walk_tb(trace))
    half = MOST_FRAMES // 2
    for at, (frame, line) in enumerate(frames):
        if len(frames) > MOST_FRAMES and half <= at < len(frames) - half:
            if at == half:
                yield f"  ... {len(frames) - 2 * half} frames more ...\n"
            continue
        yield from _frame(frame, line, mask, variables)


def _frame(frame: FrameType, line: int, mask: Callable[[str], str], variables: bool) -> Iterator[str]:
    code = frame.f_code
    yield f'  File "{code.co_filename}", line {line}, in {code.co_name}\n'
    linecache.checkcache(code.co_filename)
    for number in range(max(1, line - AROUND), line + AROUND + 1):
        text = linecache.getline(code.co_filename, number, frame.f_globals).rstrip()
        if text:
            yield f"    {'>' if number == line else ' '} {number:>4} {text}\n"
    for name, value in sorted(frame.f_locals.items()) if variables else ():
        yield f"      {name} = {_shown(value, mask)}\n"


def _shown(value: object, mask: Callable[[str], str]) -> str:
    try:
        text = _repr.repr(value)
    except Exception as exc:  # whatever a value's own __repr__ does
        return f"(its repr failed: {type(exc).__name__})"
    text = mask(text).replace("\n", "\\n")
    return text if len(text) <= MOST_CHARACTERS else text[: MOST_CHARACTERS - 4] + " ..."
