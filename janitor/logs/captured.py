"""What was raised, taken as data, within bounds; this cannot fail.

                        an exception, and those that led to it
of 3,000 exceptions     the first ten and the last ten
of 1,000 frames each    the first 25 and the last 25
of a group              100 members in all, five groups deep
each text               shortened, masked before that
what fails meanwhile    the exception's class, and its text if that can be had
"""

import linecache
import traceback
from collections.abc import Callable, Sequence
from functools import partial
from types import FrameType, TracebackType

from janitor.errors import is_a, module_of, name_of, summary, text_of
from janitor.guard import foreign_code
from janitor.runs.bounds import shortened, shown
from janitor.state.raised import Frame, Raised

AROUND = 2
"""So many lines are shown before and after the line of a frame."""
MOST_CHARACTERS = 1_024
"""So much of a variable's value is shown."""
MOST_VARIABLES = 100
"""So many variables of a frame are shown."""
MOST_FRAMES = 50
"""Of more frames, the first half and the last half of so many are shown: a recursion is the same all through."""
MOST_LINKS = 20
"""Of a longer chain, the first half and the last half of so many exceptions are shown."""
MOST_FOLLOWED = 10_000
"""So far back a chain is followed."""
MOST_MEMBERS = 100
"""So many members of groups are shown in all, of groups within groups too."""
DEEPEST = 5
"""So deep groups may lie within one another."""
TEXT = 16_384
"""The longest description of an exception, in bytes."""
CODE = 512
"""The longest line of code, or name of a file or function, in bytes."""

Mask = Callable[[str], str]


def capture(error: BaseException, mask: Mask, variables: bool = False) -> tuple[Raised, ...]:
    """An exception and the exceptions that led to it, as data, the first cause first; this cannot fail.

    `variables` adds each frame's local variables. What is cut is masked before, so that no part of a secret is left.
    Everything else is as it is, and still to be masked.
    """
    chain: tuple[Raised, ...] = ()
    with foreign_code(partial(_bare, error), BaseException) as failed:
        chain = _Capture(mask, variables).chain(error, 0)
    return chain if failed.instead is None else (failed.instead,)


class _Capture:
    """Takes one exception, its chain and its members, within the bounds."""

    def __init__(self, mask: Mask, variables: bool) -> None:
        self._mask, self._variables = mask, variables
        self._seen: set[int] = set()
        self._members = MOST_MEMBERS

    def chain(self, error: BaseException, depth: int) -> tuple[Raised, ...]:
        """An exception after the exceptions that led to it; those that were taken before are left out."""
        links, half = self._links(error), MOST_LINKS // 2
        kept = links if len(links) <= MOST_LINKS else links[:half] + links[-half:]
        taken: list[Raised] = []
        for at, link in enumerate(kept):
            with foreign_code(partial(_bare, link), BaseException) as failed:
                taken.append(self._one(link, depth, len(links) - len(kept) if at == half else 0))
            taken += [] if failed.instead is None else [failed.instead]
        return tuple(taken)

    def _links(self, error: BaseException) -> list[BaseException]:
        links: list[BaseException] = []
        link: BaseException | None = error
        while link is not None and len(links) < MOST_FOLLOWED:
            links.append(link)
            self._seen.add(id(link))
            link = _cause(link) or _context(link)
            link = None if id(link) in self._seen else link
        return links[::-1]

    def _one(self, error: BaseException, depth: int, before: int) -> Raised:
        frames, left_out = self._frames(error.__traceback__)
        members = error.exceptions if is_a(error, BaseExceptionGroup) else ()
        taken = members[: max(0, self._members)] if depth < DEEPEST else ()
        self._members -= len(taken)
        return Raised(
            module=self._cut(module_of(error), CODE),
            kind=self._cut(name_of(error), CODE),
            description=self._cut(_description(error), TEXT),
            frames=frames,
            left_out=left_out,
            from_cause=_cause(error) is not None,
            members=tuple(self.chain(member, depth + 1) for member in taken),
            before=before,
            members_left_out=len(members) - len(taken),
        )

    def _frames(self, trace: TracebackType | None) -> tuple[tuple[Frame, ...], int]:
        frames, half = list(traceback.walk_tb(trace)), MOST_FRAMES // 2
        kept = frames if len(frames) <= MOST_FRAMES else frames[:half] + frames[-half:]
        return tuple(self._frame(frame, line) for frame, line in kept), len(frames) - len(kept)

    def _frame(self, frame: FrameType, line: int) -> Frame:
        code, lines, values = frame.f_code, [], []
        # A module's loader is foreign, and so is what a class takes for its variables while it is made.
        with foreign_code(_left_out, BaseException):
            lines = _code(frame, line)
            values = sorted(frame.f_locals.items())[:MOST_VARIABLES] if self._variables else []
        return Frame(
            file=self._cut(code.co_filename, CODE),
            line=line,
            function=self._cut(code.co_name, CODE),
            code=tuple((number, self._cut(text, CODE)) for number, text in lines if text),
            variables=tuple((self._cut(name, CODE), _shown(value, self._mask)) for name, value in values),
        )

    def _cut(self, text: str, most: int) -> str:
        return text if len(text) * 4 <= most else shortened(self._mask(text), most)


def _bare(error: BaseException, failure: BaseException) -> Raised:
    """What can be told of an exception that cannot be taken."""
    return Raised(module_of(error), name_of(error), f"{shortened(summary(error), TEXT)}\n")


def _left_out(error: BaseException) -> None:
    """What cannot be read is left out."""


def _cause(error: BaseException) -> BaseException | None:
    found: BaseException | None = None
    with foreign_code(_left_out, BaseException):
        found = error.__cause__
    return found if is_a(found, BaseException) else None


def _context(error: BaseException) -> BaseException | None:
    found: BaseException | None = None
    with foreign_code(_left_out, BaseException):
        found = None if error.__suppress_context__ else error.__context__
    return found if is_a(found, BaseException) else None


def _description(error: BaseException) -> str:
    """What Python prints of an exception itself, with its notes."""
    if is_a(error, SyntaxError):
        return "".join(traceback.format_exception_only(error))
    module, name, text = module_of(error), name_of(error), text_of(error)
    name = name if module in ("builtins", "__main__") else f"{module}.{name}"
    notes: Sequence[object] = ()
    with foreign_code(_left_out, BaseException):
        notes = list(getattr(error, "__notes__", ()))
    return "\n".join([f"{name}: {text}" if text else name, *map(text_of, notes[:MOST_MEMBERS])]) + "\n"


def _code(frame: FrameType, line: int) -> list[tuple[int, str]]:
    name = frame.f_code.co_filename
    linecache.checkcache(name)
    around = range(max(1, line - AROUND), line + AROUND + 1)
    return [(number, linecache.getline(name, number, frame.f_globals).rstrip()) for number in around]


def _shown(value: object, mask: Mask) -> str:
    text = ""
    with foreign_code(_no_repr, BaseException) as failed:
        text = shown(value, MOST_CHARACTERS)
    if failed.instead is not None:
        return failed.instead
    text = mask(text).replace("\n", "\\n")
    return text if len(text) <= MOST_CHARACTERS else text[: MOST_CHARACTERS - 4] + " ..."


def _no_repr(error: BaseException) -> str:
    return f"(its repr failed: {name_of(error)})"
