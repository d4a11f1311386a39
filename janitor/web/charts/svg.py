"""Charts as SVG, drawn on the server: attributes and classes only, so that no style or script is in a page.

Positions along time are percentages and heights are pixels, so that a chart is as wide as its page and its letters keep
their size on every screen.
"""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from html import escape

from janitor.web.markup import Html

STRIP_BARS, STRIP_STEP, STRIP_WIDTH, STRIP_HEIGHT = 30, 8, 6, 30
LANE_HEIGHT = 22
PLOT_HEIGHT, PLOT_TOP, PLOT_BASE = 150, 12, 128
LEAST_HEIGHT = 3
LANE_GAP = 0.4
"""Stretches of a lane that end alike become one where less than this, in per cent of the lane, is between them."""
DID_NOT_RUN = ("missed", "skipped")
WENT_WRONG = ("failed", "timed_out", "interrupted")


@dataclass(frozen=True)
class Bar:
    """One column of a chart: how high (None: nothing to show), how it ended, its words, and where it leads."""

    value: float | None
    title: str
    outcome: str = "plain"
    href: str | None = None


@dataclass(frozen=True)
class Stretch:
    """A part of a lane: from when to when, the worst outcome in it, where it leads, and how many runs ended how."""

    start: datetime
    end: datetime
    outcome: str
    href: str | None
    counted: Mapping[str, int]

    @property
    def title(self) -> str:
        """All of it in words."""
        told = ", ".join(f"{count} {outcome.replace('_', ' ')}" for outcome, count in self.counted.items())
        return f"{told}: {self.start:%H:%M:%S} to {self.end:%H:%M:%S} UTC"


@dataclass(frozen=True)
class Tick:
    """A value on an axis, and the text beside it."""

    value: float
    text: str


def strip(bars: Sequence[Bar], label: str) -> Html:
    """The last runs of a job, oldest first: height tells the duration, colour and shape the outcome.

    A run that went wrong has a cross below it and a shaded column, so that a short one is seen too; a slot that did
    not run is a hollow square.
    """
    shown = list(bars)[-STRIP_BARS:]
    top = max((bar.value or 0 for bar in shown), default=0) or 1.0
    parts, offset = [], STRIP_BARS - len(shown)
    for empty in range(offset):
        parts.append(_tag("rect", x=empty * STRIP_STEP, y=STRIP_HEIGHT - 9, width=STRIP_WIDTH, height=1, class_="none"))
    for place, bar in enumerate(shown, offset):
        height = max(LEAST_HEIGHT, math.sqrt(max(0.0, bar.value or 0) / top) * (STRIP_HEIGHT - 8))
        parts.append(_linked(bar, _strip_bar(place * STRIP_STEP, height, bar.outcome), last=place == STRIP_BARS - 1))
    width = STRIP_BARS * STRIP_STEP - (STRIP_STEP - STRIP_WIDTH)
    return Html(_svg(parts, label, "strip", width, STRIP_HEIGHT))


def _strip_bar(x: float, height: float, outcome: str) -> str:
    base = STRIP_HEIGHT - 8
    room = _tag("rect", x=x, y=0, width=STRIP_WIDTH, height=base, class_="room")
    if outcome in DID_NOT_RUN:
        return room + _tag("rect", x=x + 0.75, y=base - 5.25, width=STRIP_WIDTH - 1.5, height=4.5, class_="bar hollow")
    shape = room + _tag("rect", x=x, y=base - height, width=STRIP_WIDTH, height=height, class_="bar")
    if outcome in WENT_WRONG:
        cross = f"M{x + 1} {base + 2.5}l4 4m0-4l-4 4"
        shape += _tag("path", d=cross, class_="mark")
    return shape


def columns(bars: Sequence[Bar], label: str, ticks: Sequence[Tick], times: Sequence[tuple[float, str]]) -> Html:
    """Columns over time with a scale at the left; `times` are texts below, each at a share (0 to 1) of the width."""
    top = ticks[-1].value or 1.0
    axis = [_tag("text", escape(tick.text), x="100%", y=_y(tick.value, top) + 4, text_anchor="end") for tick in ticks]
    grid = [_tag("line", x1=0, x2="100%", y1=_y(t.value, top), y2=_y(t.value, top), class_="grid") for t in ticks]
    shapes = [_column(bar, place, len(bars), top) for place, bar in enumerate(bars)]
    below = [_time(share, text) for share, text in times]
    scale = _tag("svg", *axis, class_="scale", width="100%", height=PLOT_HEIGHT, aria_hidden="true")
    plot = _svg([*grid, *shapes, *below], label, "plot", "100%", PLOT_HEIGHT)
    return Html(_tag("div", scale, plot, class_="chart"))


def _column(bar: Bar, place: int, count: int, top: float) -> str:
    step = 100 / max(count, 1)
    # A touch anywhere in a column's share of the plot is a touch on it.
    room = _tag(
        "rect",
        x=_per_cent(place * step),
        y=PLOT_TOP,
        width=_per_cent(step),
        height=PLOT_BASE - PLOT_TOP,
        class_="room",
    )
    if bar.value is None:
        return _linked(bar, room, last=False)
    height = (PLOT_BASE - PLOT_TOP) * bar.value / top
    height = max(height, LEAST_HEIGHT) if bar.value > 0 or bar.outcome in WENT_WRONG else height
    x, width = _per_cent((place + 0.12) * step), _per_cent(step * 0.76)
    shape = _tag("rect", x=x, y=PLOT_BASE - height, width=width, height=height, class_="bar")
    return _linked(bar, room + shape, last=place == count - 1)


def lane(stretches: Sequence[Stretch], since: datetime, until: datetime, label: str, minutes: int = 180) -> Html:
    """One job's runs between two moments; what ends alike and lies close together is drawn as one."""
    parts = [
        _tag("line", x1=_per_cent(x), x2=_per_cent(x), y1=0, y2=LANE_HEIGHT, class_="grid")
        for x, _ in marks(since, until, minutes)
    ]
    merged = merge(stretches, since, until)
    for place, one in enumerate(merged):
        start, end = _share(one.start, since, until), _share(one.end, since, until)
        bar = Bar(None, one.title, one.outcome, one.href)
        parts.append(_linked(bar, _lane_part(start, max(end - start, 0.3), one.outcome), place == len(merged) - 1))
    return Html(_svg(parts, label, "lane", "100%", LANE_HEIGHT))


def _lane_part(x: float, width: float, outcome: str) -> str:
    x = min(x, 100 - width)
    if outcome in DID_NOT_RUN:
        return _tag("rect", x=_per_cent(x), y=8, width=_per_cent(width), height=6, class_="bar hollow")
    high = outcome in WENT_WRONG or outcome == "running"
    y, height = (1, LANE_HEIGHT - 2) if high else (5, LANE_HEIGHT - 10)
    return _tag("rect", x=_per_cent(x), y=y, width=_per_cent(width), height=height, rx=1.5, class_="bar")


def lane_times(since: datetime, until: datetime, minutes: int = 180) -> Html:
    """The times below the lanes, in UTC."""
    texts = [_time(x / 100, text, y=12) for x, text in marks(since, until, minutes) if 2 < x < 98]
    return Html(_tag("svg", *texts, class_="hours", width="100%", height=16, aria_hidden="true"))


def marks(since: datetime, until: datetime, minutes: int) -> list[tuple[float, str]]:
    """Each multiple of `minutes` since midnight between two moments: where it is, in per cent, and its text."""
    step, moment = timedelta(minutes=minutes), since.replace(hour=0, minute=0, second=0, microsecond=0)
    found = []
    while moment <= until:
        if moment >= since:
            found.append((_share(moment, since, until), f"{moment:%H:%M}"))
        moment += step
    return found


def merge(stretches: Iterable[Stretch], since: datetime, until: datetime) -> list[Stretch]:
    """Stretches in the order of their starts, those that ended alike and lie close together as one."""
    merged: list[Stretch] = []
    gap = (until - since) * (LANE_GAP / 100)
    for one in sorted(stretches, key=lambda stretch: stretch.start):
        before = merged[-1] if merged else None
        if before is not None and before.outcome == one.outcome and one.start - before.end < gap:
            counted = Counter(before.counted)
            counted.update(one.counted)
            merged[-1] = Stretch(before.start, max(one.end, before.end), one.outcome, one.href, counted)
        else:
            merged.append(one)
    return merged


def count_scale(most: float) -> list[Tick]:
    """Three values from 0 to a round one not below `most`, as numbers of things."""
    top = _round_up(most)
    return [Tick(value, _count(value)) for value in (0.0, top / 2, top)]


def seconds_scale(most: float) -> list[Tick]:
    """A scale of durations in the unit that fits: ms, s, min or h."""
    unit, factor = next(
        ((unit, factor) for unit, factor in (("h", 3600.0), ("min", 60.0), ("s", 1.0)) if most >= 2 * factor),
        ("ms", 0.001) if most < 0.2 else ("s", 1.0),
    )
    top = _round_up(most / factor)
    return [Tick(value * factor, f"{value:g} {unit}" if value else "0") for value in (0.0, top / 2, top)]


def _count(value: float) -> str:
    for unit, factor in (("M", 1e6), ("k", 1e3)):
        if value >= factor:
            return f"{value / factor:.3g}{unit}"
    return f"{value:g}"


def _round_up(value: float) -> float:
    if value <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(value))
    return next(factor * power for factor in (1, 2, 4, 5, 10) if value <= factor * power * (1 + 1e-9))


def _y(value: float, top: float) -> float:
    return round(PLOT_BASE - (PLOT_BASE - PLOT_TOP) * value / top, 1)


def _time(share: float, text: str, y: int = PLOT_BASE + 16) -> str:
    anchor = "start" if share < 0.05 else "end" if share > 0.95 else "middle"
    return _tag("text", escape(text), x=_per_cent(share * 100), y=y, text_anchor=anchor)


def _share(moment: datetime, since: datetime, until: datetime) -> float:
    """Where a moment is between two, in per cent, from 0 to 100."""
    return min(100.0, max(0.0, 100 * ((moment - since) / (until - since))))


def _linked(bar: Bar, shape: str, last: bool) -> str:
    """A shape with its words; of a chart's links the last one takes the focus, and the arrow keys go on from there."""
    title, kind = _tag("title", escape(bar.title)), f"mark-of o-{bar.outcome}"
    if bar.href is None:
        return _tag("g", title, shape, class_=kind)
    return _tag("a", title, shape, href=bar.href, class_=kind, aria_label=bar.title, tabindex=0 if last else -1)


def _svg(content: Iterable[str], label: str, kind: str, width: float | str, height: float) -> str:
    return _tag("svg", *content, class_=kind, role="group", aria_label=label, width=width, height=height)


def _tag(name: str, *children: str, **attributes: object) -> str:
    """An element; underlines in the names of attributes are hyphens, and those at the end are left out.

    What its attributes say is escaped here; its children have to be so already.
    """
    given = "".join(f' {_name(key)}="{_plain(value)}"' for key, value in attributes.items())
    return f"<{name}{given}>{''.join(children)}</{name}>"


def _name(key: str) -> str:
    return key.rstrip("_").replace("_", "-")


def _plain(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.2f}".rstrip("0").rstrip(".")
    return escape(value) if isinstance(value, str) else str(value)


def _per_cent(value: float) -> str:
    return f"{value:.2f}%"
