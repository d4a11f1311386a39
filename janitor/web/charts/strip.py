"""The strip: a job's last runs, a bar for each."""

import math
from collections.abc import Sequence

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
    parts = [tag("rect", x=empty * STEP, y=BASE - 1, width=WIDTH, height=1, class_="none") for empty in range(offset)]
    for place, bar in enumerate(shown, offset):
        height = max(LEAST_HEIGHT, math.sqrt(max(0.0, bar.value or 0) / top) * BASE)
        parts.append(mark(bar, _shape(place * STEP, height, bar.outcome), last=place == BARS - 1))
    return figure(parts, label, kind="strip", width=BARS * STEP - (STEP - WIDTH), height=HEIGHT)


def _shape(x: float, height: float, outcome: str) -> Markup:
    room = tag("rect", x=x, y=0, width=WIDTH, height=BASE, class_="room")
    if outcome in DID_NOT_RUN:
        return room + tag("rect", x=x + 0.75, y=BASE - 5.25, width=WIDTH - 1.5, height=4.5, class_="bar hollow")
    bar = tag("rect", x=x, y=BASE - height, width=WIDTH, height=height, class_="bar")
    cross = tag("path", d=f"M{x + 1} {BASE + 2.5}l4 4m0-4l-4 4", class_="mark") if outcome in WENT_WRONG else ""
    return room + bar + cross
