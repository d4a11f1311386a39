"""SVG elements, and the shapes that all charts share.

Charts are drawn on the server, with attributes and classes only: a page holds no inline style and no inline script.
Positions along time are percentages, heights are pixels. So a chart is as wide as its page, and its letters keep their
size on every screen.

Charts are our own, although libraries exist. A browser's chart library needs inline styles, which the pages forbid.
matplotlib draws the strip of one job in 19 ms, without links or words; `strip` takes 0.4 ms. A list has 50 strips.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from markupsafe import Markup, escape

from janitor.logs.escapes import visible

LEAST_HEIGHT = 3
"""How high the lowest bar is: pixels. A lower bar could not be seen, or pressed."""
DID_NOT_RUN = ("missed", "skipped")
WENT_WRONG = ("failed", "timed_out", "interrupted")
_PLAIN = re.compile(r"[\w .,:;/%=()+-]*", re.ASCII)
"""A text that is the same when it is escaped: so are nearly all, and a list of jobs has thousands."""


@dataclass(frozen=True)
class Bar:
    """One bar of a chart: its value (None: no bar), its words, the outcome of its run, and the page behind it."""

    value: float | None
    title: str
    outcome: str = "plain"
    href: str | None = None


def tag(name: str, *children: str, **attributes: object) -> Markup:
    """An element. Attributes, and children that are plain text, are escaped here.

    In an attribute's name an underline stands for a hyphen; an underline at the end is left out: `class_`.
    """
    given = "".join([f' {_name(key)}="{_text(value)}"' for key, value in attributes.items()])
    inside = "".join([child if isinstance(child, Markup) else _text(child) for child in children])
    return Markup(f"<{name}{given}>{inside}</{name}>")


def figure(content: Iterable[str], label: str, *, kind: str, width: float | str, height: float) -> Markup:
    """A whole chart; `label` is what a screen reader says of it."""
    return tag("svg", *content, class_=kind, role="group", aria_label=label, width=width, height=height)


def mark(bar: Bar, shape: Markup, last: bool) -> Markup:
    """A shape with its words, as a link if it leads anywhere.

    The tab key stops once in a chart: at its last link. The arrow keys lead from there to the others.
    """
    title, kind = tag("title", bar.title), f"mark-of o-{bar.outcome}"
    if bar.href is None:
        return tag("g", title, shape, class_=kind)
    return tag("a", title, shape, href=bar.href, class_=kind, aria_label=bar.title, tabindex=0 if last else -1)


def time_text(share: float, text: str, y: int) -> Markup:
    """A text below a chart, at a share (0 to 1) of its width; it stays inside the chart at both ends."""
    anchor = "start" if share < 0.05 else "end" if share > 0.95 else "middle"
    return tag("text", text, x=per_cent(share * 100), y=y, text_anchor=anchor)


def per_cent(value: float) -> str:
    """A position or a length along a chart's width."""
    return f"{value:.2f}%"


@cache
def _name(key: str) -> str:
    return key.rstrip("_").replace("_", "-")


def _text(value: object) -> str:
    if isinstance(value, str):
        return value if _PLAIN.fullmatch(value) else escape(visible(value))
    return f"{value:.2f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)
