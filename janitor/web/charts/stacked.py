"""A stacked bar: parts beside each other, each as wide as its share of all."""

from collections.abc import Sequence

from markupsafe import Markup

from janitor.web.charts.svg import Bar, figure, mark, per_cent, tag

HEIGHT = 20
LEAST_WIDTH = 0.6
"""How wide the smallest part is: per cent of the bar. A narrower part could not be seen, or pressed."""


def stacked(parts: Sequence[Bar], label: str) -> Markup:
    """The parts in their order, each a link if it leads anywhere; a part of 0 is left out.

    The class of a part's colours is its `outcome`. What small parts are too wide, the others are narrower.
    """
    shown = [part for part in parts if part.value]
    widths, left, drawn = _widths([part.value or 0.0 for part in shown]), 0.0, list[Markup]()
    for place, (part, width) in enumerate(zip(shown, widths, strict=True)):
        shape = tag("rect", x=per_cent(left), y=0, width=per_cent(width), height=HEIGHT, class_="bar")
        drawn.append(mark(part, shape, last=place == len(shown) - 1))
        left += width
    return figure(drawn, label, kind="stacked", width="100%", height=HEIGHT)


def _widths(values: Sequence[float]) -> list[float]:
    """The width of each part, in per cent."""
    whole = sum(values)
    widths = [max(LEAST_WIDTH, 100 * value / whole) for value in values]
    over, wide = sum(widths) - 100, sum(width for width in widths if width > LEAST_WIDTH)
    return [width - over * width / wide if width > LEAST_WIDTH and wide else width for width in widths]
