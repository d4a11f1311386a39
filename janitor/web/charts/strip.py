"""The strip: a job's last runs, a bar for each."""

import math
from collections.abc import Sequence
from functools import cache

from markupsafe import Markup

from janitor.web.charts.svg import DID_NOT_RUN, LEAST_HEIGHT, WENT_WRONG, Bar, figure, mark, tag

BARS, STEP, WIDTH, HEIGHT = 30, 8, 6, 30
BASE = HEIGHT - 8
"""Where the bars stand: pixels from the top. Below them is room for the crosses."""


def strip(bars: Sequence[Bar], label: str) -> Markup:
    """The last 30 runs of a job, the oldest first: the height tells the duration, colour and shape the outcome.

    A run that went wrong has a cross below it and a shaded column, so that a short run is seen too. A slot that did not
    run is a hollow square.
    """
    shown = list(bars)[-BARS:]
    top = max((bar.value or 0 for bar in shown), default=0) or 1.0
    offset = BARS - len(shown)
    parts = [_none(place * STEP) for place in range(offset)]
    for place, bar in enumerate(shown, offset):
        height = max(LEAST_HEIGHT, math.sqrt(max(0.0, bar.value or 0) / top) * BASE)
        parts.append(mark(bar, _shape(place * STEP, height, bar.outcome), last=place == BARS - 1))
    return figure(parts, label, kind="strip", width=BARS * STEP - (STEP - WIDTH), height=HEIGHT)


def _shape(x: int, height: float, outcome: str) -> Markup:
    if outcome in DID_NOT_RUN:
        return Markup(_room(x) + _hollow(x))
    bar = tag("rect", x=x, y=BASE - height, width=WIDTH, height=height, class_="bar")
    return Markup("".join([_room(x), bar, _cross(x) if outcome in WENT_WRONG else ""]))


# There are 30 places in a strip, and 50 strips on a page: what is the same at a place is drawn once.
@cache
def _room(x: int) -> Markup:
    return tag("rect", x=x, y=0, width=WIDTH, height=BASE, class_="room")


@cache
def _none(x: int) -> Markup:
    return tag("rect", x=x, y=BASE - 1, width=WIDTH, height=1, class_="none")


@cache
def _hollow(x: int) -> Markup:
    return tag("rect", x=x + 0.75, y=BASE - 5.25, width=WIDTH - 1.5, height=4.5, class_="bar hollow")


@cache
def _cross(x: int) -> Markup:
    return tag("path", d=f"M{x + 1} {BASE + 2.5}l4 4m0-4l-4 4", class_="mark")
