"""Columns over time, with a scale at the left."""

from collections.abc import Sequence

from markupsafe import Markup

from janitor.web.charts.scales import Tick
from janitor.web.charts.svg import LEAST_HEIGHT, WENT_WRONG, Bar, figure, mark, per_cent, tag, time_text

HEIGHT, TOP, BASE = 150, 12, 128
"""The plot's height, and where its highest and its lowest value lie: pixels from the top."""


def columns(bars: Sequence[Bar], label: str, ticks: Sequence[Tick], times: Sequence[tuple[float, str]]) -> Markup:
    """A column for each bar. `times` are the texts below, each at a share (0 to 1) of the width."""
    top = ticks[-1].value or 1.0
    axis = [tag("text", tick.text, x="100%", y=_y(tick.value, top) + 4, text_anchor="end") for tick in ticks]
    grid = [tag("line", x1=0, x2="100%", y1=_y(t.value, top), y2=_y(t.value, top), class_="grid") for t in ticks]
    shapes = [_column(bar, place, len(bars), top) for place, bar in enumerate(bars)]
    below = [time_text(share, text, BASE + 16) for share, text in times]
    scale = tag("svg", *axis, class_="scale", width="100%", height=HEIGHT, aria_hidden="true")
    plot = figure([*grid, *shapes, *below], label, kind="plot", width="100%", height=HEIGHT)
    return tag("div", scale, plot, class_="chart")


def _column(bar: Bar, place: int, count: int, top: float) -> Markup:
    step = 100 / max(count, 1)
    # The whole share of the plot belongs to its column: a finger need not hit the bar.
    left, width = per_cent(place * step), per_cent(step)
    room = tag("rect", x=left, y=TOP, width=width, height=BASE - TOP, class_="room")
    if bar.value is None:
        return mark(bar, room, last=False)
    height = (BASE - TOP) * bar.value / top
    height = max(height, LEAST_HEIGHT) if bar.value > 0 or bar.outcome in WENT_WRONG else height
    x, width = per_cent((place + 0.12) * step), per_cent(step * 0.76)
    shape = tag("rect", x=x, y=BASE - height, width=width, height=height, class_="bar")
    return mark(bar, room + shape, last=place == count - 1)


def _y(value: float, top: float) -> float:
    return round(BASE - (BASE - TOP) * value / top, 1)
