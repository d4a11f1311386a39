"""Counts: what a run tells of itself, as finite numbers and short texts by name.

    what a task counts                       what is kept
    whole numbers of 64 bits, True, None     the same; numpy's numbers, Decimal and Fraction as plain numbers
    a larger number                          the nearest float, if there is one
    NaN, infinity, 10**400                   left out, and told in the run's log
    anything else                            its text, shortened to 200 bytes
    a name of over 64 characters             left out, and told
    more than 100 names                      the first 100; the rest is left out, and told

Counts stand on every page and in every notice, and programs read them: so they are few, and JSON has them all.
"""

import logging
import math
from collections.abc import Iterable, Mapping
from decimal import Decimal
from itertools import islice
from numbers import Real
from types import NoneType
from typing import Any

from janitor.errors import summary, text_of
from janitor.guard import foreign_code
from janitor.jobs.json_texts import LARGEST, read
from janitor.runs.bounds import shortened, shown

log = logging.getLogger(__name__)

Count = int | float | str | None

MOST = 100
LONGEST_NAME = 64
"""In characters."""
LONGEST_TEXT = 200
"""In bytes."""
MOST_LOOKED_AT = 1_000
"""Of more pairs, the rest is left out unseen: a mapping may have millions of them, or no end."""
MOST_TOLD = 10
"""So many of the names that are left out are told."""
PLAIN = (int, float, bool, str, NoneType)


class Unfit(ValueError):
    """Raised when a value is no count: there is no finite number for it."""


def taken(counted: Mapping[Any, Any]) -> dict[str, Count]:
    """What is kept of a task's counts; the log of the current run tells what is left out. This cannot fail."""
    pairs: list[tuple[object, object]] = []
    with foreign_code(_tell_unreadable):
        pairs = list(islice(counted.items(), MOST_LOOKED_AT))
    kept: dict[str, Count] = {}
    left_out: list[str] = []
    for name, value in ((shortened(text_of(name), 4 * LONGEST_NAME), value) for name, value in pairs):
        try:
            if len(name) > LONGEST_NAME or len(kept) == MOST:
                raise Unfit
            kept[name] = count_of(value)
        except Unfit:
            left_out.append(name)
    if left_out:
        more = f" and {len(left_out) - MOST_TOLD:,} more" if len(left_out) > MOST_TOLD else ""
        more = " and many more" if len(pairs) == MOST_LOOKED_AT else more
        log.warning(
            "some counts are left out, %s%s: a run keeps %d, each a finite number or a short text, "
            "with a name of up to %d characters",
            ", ".join(left_out[:MOST_TOLD]),
            more,
            MOST,
            LONGEST_NAME,
        )
    return kept


def count_of(value: object) -> Count:
    """A value as a count; this fails in one way only, whatever the value does.

    Raises:
        Unfit: there is no finite number for it.
    """
    plain: Any = value
    if type(value) not in PLAIN:
        with foreign_code(_fails, BaseException) as failed:
            plain = _plain(value)
        if failed.instead is not None:
            plain = text_of(value)
    if type(plain) is int and not -LARGEST <= plain < LARGEST:
        plain = float(plain) if abs(plain) < 2**1023 else math.inf
    if type(plain) is float and not math.isfinite(plain):
        raise Unfit
    return shortened(plain, LONGEST_TEXT) if type(plain) is str else plain


def stored(text: str | None) -> dict[str, Any] | None:
    """The counts in a stored JSON text, which another release may have written; None if it holds none."""
    found = read(text)
    if not isinstance(found, dict):
        return None
    counts: dict[str, Count] = {}
    for name, value in islice(found.items(), MOST):
        try:
            counts[shortened(name[:LONGEST_NAME], 8 * LONGEST_NAME)] = count_of(value)
        except Unfit:
            continue
    return counts


def whole_sum(values: Iterable[object]) -> int | None:
    """The sum of the numbers among counts, without its fraction; None if there are none."""
    found: list[Any] = [value for value in values if type(value) in (int, float)]
    total: int | float = sum(found)
    return int(total) if found and math.isfinite(total) else None


def _plain(value: Any) -> Any:
    """A value that is of none of the plain types, as one that is."""
    if issubclass(type(value), (Real, Decimal)):
        return _number(value)
    if issubclass(type(value), (Mapping, list, tuple, set, frozenset)):
        return shown(value, LONGEST_TEXT)
    # Numpy's way to a plain value, for its truth values and arrays of a single value too.
    plain = value.item() if hasattr(type(value), "item") else None
    return plain if type(plain) in (int, float, bool) else text_of(value)


def _number(value: Any) -> int | float:
    """A number as a plain number; infinity if that fails."""
    number: int | float = math.inf
    with foreign_code(_fails):
        number = float(value)
        whole = int(value) if math.isfinite(number) else None
        number = number if whole is None or whole != value else whole
    return number


def _fails(error: BaseException) -> bool:
    return True


def _tell_unreadable(error: BaseException) -> None:
    log.warning("the counts are left out, they cannot be read: %s", summary(error))
