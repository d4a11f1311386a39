"""Bounds: how long the texts of a run's record may be, in bytes of UTF-8, and how a longer text is shortened.

A server takes statements up to a size only, 1 MB with the smallest default that is known. So every text has an end
before it is written, and all texts of one record together fit into one statement.
"""

import difflib
import reprlib
from collections.abc import Iterable, Sequence

REASON = 16_384
"""Of a reason in words."""
TRACEBACK = 200_000
"""Of a traceback; its beginning and its end are kept."""
LOG_LINE = 20_000
"""Of a line that is logged during a run."""
MOST_NAMED = 20
"""So many names stand in a sentence."""


def shortened(text: str, most: int, *, keep_end: bool = False) -> str:
    """A text in at most `most` bytes, 100 or more; what is left out is told in it. `keep_end` leaves out its middle.

    Halves of characters become escapes: neither files nor databases take them.
    """
    if text.isascii() and len(text) <= most:
        return text
    whole = text.encode("utf-8", "backslashreplace")
    if len(whole) <= most:
        return whole.decode("utf-8")
    said = f"({len(whole):,} bytes in all)"
    room = most - len(said) - len(" ... ")
    if keep_end:
        half = room // 2 - len(" ... ")
        return f"{whole[:half].decode('utf-8', 'ignore')} ... {said} ... {whole[-half:].decode('utf-8', 'ignore')}"
    return f"{whole[:room].decode('utf-8', 'ignore')} ... {said}"


def listed(names: Sequence[str], most: int, more: str = " and {} more") -> str:
    """The first `most` names, with commas; `more` tells how many are left out."""
    rest = len(names) - most
    return ", ".join(names[:most]) + (more.format(rest) if rest > 0 else "")


def listed_near(sought: str, names: Iterable[str]) -> str:
    """Names with commas; of very many the first are those most like the name that was sought."""
    all_names = list(names)
    if len(all_names) > MOST_NAMED:
        near = difflib.get_close_matches(sought, all_names, n=5)
        all_names = [*near, *(name for name in all_names if name not in near)]
    return listed(all_names, MOST_NAMED)


def shown(value: object, most: int) -> str:
    """A value as Python shows it, in some more characters than `most`; of a value with very many parts the first.

    The value's own `repr` may raise whatever it likes.
    """
    return str.__str__(_Repr(most).repr(value))


class _Repr(reprlib.Repr):
    """Shows a value in short; lists may lie within one another, and hold the same list many times."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self.maxlevel, self.maxstring, self.maxother, self.maxlong = 4, 4 * most, 4 * most, 4 * most
        self.maxlist = self.maxtuple = self.maxset = self.maxfrozenset = self.maxdict = most // 5
        self.maxdeque = self.maxarray = most // 5
        self._parts = 2 * most

    def repr1(self, x: object, level: int) -> str:
        """One part of the value."""
        self._parts -= 1
        return super().repr1(x, level) if self._parts >= 0 else "..."
