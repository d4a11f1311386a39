"""The lane: a job's runs between two moments, in the timeline."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from markupsafe import Markup

from janitor.web.charts.svg import DID_NOT_RUN, WENT_WRONG, Bar, figure, mark, per_cent, tag, time_text

HEIGHT = 22
GAP = 0.4
"""Stretches with the same outcome become one if less than this lies between them: per cent of the lane."""
LEAST_WIDTH = 0.3
"""How wide the shortest stretch is: per cent of the lane."""


@dataclass(frozen=True)
class Stretch:
    """A part of a lane: its runs' worst outcome, the page behind it, and how many runs had each outcome."""

    start: datetime
    end: datetime
    outcome: str
    href: str | None
    counted: Mapping[str, int]

    @property
    def title(self) -> str:
        """The stretch in words."""
        told = ", ".join(f"{count} {outcome.replace('_', ' ')}" for outcome, count in self.counted.items())
        return f"{told}: {self.start:%H:%M:%S} to {self.end:%H:%M:%S} UTC"


def lane(stretches: Sequence[Stretch], since: datetime, until: datetime, label: str, minutes: int = 180) -> Markup:
    """One job's runs between two moments, with a line every so many minutes.

    Runs of the same outcome that lie close together are drawn as one.
    """
    at = [per_cent(x) for x, _ in marks(since, until, minutes)]
    parts = [tag("line", x1=x, x2=x, y1=0, y2=HEIGHT, class_="grid") for x in at]
    merged = merge(stretches, since, until)
    for place, one in enumerate(merged):
        start, end = _share(one.start, since, until), _share(one.end, since, until)
        shape = _shape(start, max(end - start, LEAST_WIDTH), one.outcome)
        parts.append(mark(Bar(None, one.title, one.outcome, one.href), shape, last=place == len(merged) - 1))
    return figure(parts, label, kind="lane", width="100%", height=HEIGHT)


def lane_times(since: datetime, until: datetime, minutes: int = 180) -> Markup:
    """The times below the lanes, in UTC."""
    texts = [time_text(x / 100, text, 12) for x, text in marks(since, until, minutes) if 2 < x < 98]
    return tag("svg", *texts, class_="hours", width="100%", height=16, aria_hidden="true")


def marks(since: datetime, until: datetime, minutes: int) -> list[tuple[float, str]]:
    """Each multiple of `minutes` since midnight between two moments: its place in per cent, and its text."""
    step, moment = timedelta(minutes=minutes), since.replace(hour=0, minute=0, second=0, microsecond=0)
    found = []
    while moment <= until:
        if moment >= since:
            found.append((_share(moment, since, until), f"{moment:%H:%M}"))
        moment += step
    return found


def merge(stretches: Iterable[Stretch], since: datetime, until: datetime) -> list[Stretch]:
    """Stretches by their start; neighbours of the same outcome that lie close together are one."""
    merged: list[Stretch] = []
    gap = (until - since) * (GAP / 100)
    for one in sorted(stretches, key=lambda stretch: stretch.start):
        before = merged[-1] if merged else None
        if before is not None and before.outcome == one.outcome and one.start - before.end < gap:
            counted = Counter(before.counted)
            counted.update(one.counted)
            merged[-1] = Stretch(before.start, max(one.end, before.end), one.outcome, one.href, counted)
        else:
            merged.append(one)
    return merged


def _shape(x: float, width: float, outcome: str) -> Markup:
    left = per_cent(min(x, 100 - width))
    if outcome in DID_NOT_RUN:
        return tag("rect", x=left, y=8, width=per_cent(width), height=6, class_="bar hollow")
    high = outcome in WENT_WRONG or outcome == "running"
    y, height = (1, HEIGHT - 2) if high else (5, HEIGHT - 10)
    return tag("rect", x=left, y=y, width=per_cent(width), height=height, rx=1.5, class_="bar")


def _share(moment: datetime, since: datetime, until: datetime) -> float:
    """Where a moment lies between two others: per cent, 0 to 100."""
    return min(100.0, max(0.0, 100 * ((moment - since) / (until - since))))
