"""Which charts the models of pipelines and items make."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from markupsafe import Markup

from janitor.web import addresses
from janitor.web.charts.columns import columns
from janitor.web.charts.graph import Box, drawn
from janitor.web.charts.scales import count_scale
from janitor.web.charts.stacked import stacked
from janitor.web.charts.svg import Bar
from janitor.web.queries import models
from janitor.web.queries.pipeline_history import part_of
from janitor.web.words import number

ORDER = ("ok", "warning", "error", "blocked", "left_out", "processing", "waiting")
"""The looks of statuses, in the order in which a bar has them: what has ended, then what goes on."""


def bar_of(pipeline: str, step: models.StepLine) -> Markup:
    """How many items have which status at a step, as parts of a bar; each leads to these items."""
    counts = sorted(step.counts, key=lambda one: (ORDER.index(one.look), one.status))
    parts = [
        Bar(one.items, f"{step.name}: {number(one.items)} {one.words}", one.look, place_of(pipeline, step.name, one))
        for one in counts
    ]
    told = ", ".join(f"{number(one.items)} {one.words}" for one in counts)
    return stacked(parts, f"Items at {step.name}: {told or 'none'}")


def place_of(pipeline: str, step: str, one: models.Standing) -> str:
    """The address of the items with a status at a step."""
    status = one.status if one.state in ("done", "failed") else ""
    return f"{addresses.of_pipeline(pipeline, step=step, state=one.state, status=status)}#items"


def open_items(pipeline: str, history: Sequence[models.Moment], since: datetime, until: datetime, parts: int) -> Markup:
    """How many items were open in each part of the time between two moments; of a part without a snapshot nothing."""
    by_part = {part_of(one.at, since, until, parts): one for one in history}
    length = (until - since) / parts
    bars = [_column(by_part.get(place), since + place * length, since + (place + 1) * length) for place in range(parts)]
    most = max((one.open for one in history), default=0)
    now = f"{number(history[-1].open)} at the end, " if history else ""
    label = f"Open items of {pipeline}: {now}{number(most)} at most"
    return columns(bars, label, count_scale(most), _times(since, until))


def _column(moment: models.Moment | None, start: datetime, end: datetime) -> Bar:
    form = "%d %b %H:%M" if end - start < timedelta(hours=12) else "%d %b"
    told = "unknown" if moment is None else f"{number(moment.open)} open"
    return Bar(None if moment is None else float(moment.open), f"{start:{form}} to {end:{form}} UTC: {told}")


def _times(since: datetime, until: datetime) -> list[tuple[float, str]]:
    """Five texts below a chart."""
    form = "%H:%M" if until - since <= timedelta(days=1) else "%d %b"
    return [(share / 4, f"{since + (until - since) * share / 4:{form}}") for share in range(5)]


def steps_of(pipeline: str, page: models.ItemPage) -> Markup:
    """The steps of an item as a graph; each leads to its place on the item's page."""
    boxes = {}
    for badge in page.item.steps:
        needs = [name for name in page.needs.get(badge.step, {}) if any(one.step == name for one in page.item.steps)]
        boxes[badge.step] = Box(
            *(badge.step, needs, f"#step-{badge.step}", badge.words, f"o-{badge.look}"),
            is_going=badge.state == "processing",
        )
    return drawn(boxes, f"The {len(boxes)} steps of {page.item.key} in {pipeline}, from left to right")
