"""Durations, numbers and names as people read them. `static/janitor.js` writes durations in the same way."""

from datetime import datetime

PARTS = ((("d", 86400), ("h", 3600)), (("h", 3600), ("min", 60)), (("min", 60), ("s", 1)))
"""Each unit of a long duration, with the lesser unit beside it; each with its seconds."""


def duration(seconds: float | None, short: bool = False) -> str:
    """A duration: 40 ms, 1.3 s, 2 min 5 s, 3 h 10 min, 2 d 4 h. `short` keeps the first part; None is empty."""
    if seconds is None:
        return ""
    if seconds < 0.9995 and not short:
        return f"{seconds * 1000:.0f} ms" if seconds == 0 or seconds >= 0.0005 else "under 1 ms"
    if seconds < 60:
        return f"{seconds:.0f} s" if short or seconds >= 9.95 else f"{seconds:.1f} s"
    (unit, size), (lesser, part) = next(pair for pair in PARTS if seconds >= pair[0][1])
    rest = int(seconds % size // part)
    return f"{int(seconds // size)} {unit}" + (f" {rest} {lesser}" if rest and not short else "")


def distance(at: datetime, now: datetime) -> str:
    """How far a moment is from now: `3 min ago`, `in 2 h`."""
    seconds = (now - at).total_seconds()
    if abs(seconds) < 1.5:
        return "now"
    far = duration(abs(seconds), short=True)
    return f"{far} ago" if seconds > 0 else f"in {far}"


def number(value: object) -> str:
    """A count with commas between its thousands; a value that is no number stays as it is."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return str(value)
    return f"{value:,}" if isinstance(value, int) else f"{value:,.6g}"


def amount(value: float) -> str:
    """How much of a run is done, in the task's own unit: 1,234 or 0.5."""
    return f"{int(value):,}" if value == int(value) else f"{value:,.4g}"


def percent(share: float) -> str:
    """A share of 0 to 1: 100 % only if it is all, and 0 % only if it is nothing."""
    if 0 < share < 0.01:
        return "under 1 %"
    return f"{100 if share >= 1 else min(99, int(100 * share + 1e-9))} %"


def sentence(text: str) -> str:
    """A text with a capital letter at its beginning."""
    return text[:1].upper() + text[1:]


def words(name: str | None) -> str:
    """A name of the program as a person reads it: `timed_out` is `timed out`."""
    return (name or "").replace("_", " ")


def first_line(text: str | None, most: int = 160) -> str:
    """The first line of a text; a line of more than `most` characters is cut."""
    line = next(iter((text or "").strip().splitlines()), "")
    return line if len(line) <= most else line[: most - 1].rstrip() + "…"
