"""Which charts the dashboard's models make."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from markupsafe import Markup

from janitor.web.charts.columns import columns
from janitor.web.charts.lane import Stretch, lane
from janitor.web.charts.scales import Tick, count_scale, seconds_scale
from janitor.web.charts.strip import strip
from janitor.web.charts.svg import DID_NOT_RUN, Bar
from janitor.web.queries import models
from janitor.web.words import duration, number, words

POINTS = 60
"""How many runs a job's charts show."""
SPANS = ((1, 10), (3, 30), (6, 60), (12, 120), (24, 180))
"""How many hours a timeline may show, each with the minutes between its marks."""


@dataclass(frozen=True)
class Chart:
    """A chart of a job's runs: its title, its name in the page's addresses, and its values as rows, newest first."""

    title: str
    name: str
    drawn: Markup
    rows: list[tuple[models.Point, str]]


def strip_of(line: models.JobLine) -> Markup:
    """The strip of a job's last runs."""
    counts: dict[str, int] = {}
    for bar in line.strip:
        counts[bar.outcome] = counts.get(bar.outcome, 0) + 1
    told = ", ".join(f"{count} {words(outcome)}" for outcome, count in counts.items())
    label = f"The last {len(line.strip)} runs of {line.id}: {told}" if told else f"{line.id} has not run yet"
    return strip([_bar(one) for one in line.strip], label)


def _bar(bar: models.Bar) -> Bar:
    took = f", {duration(bar.seconds)}" if bar.seconds and bar.outcome not in DID_NOT_RUN else ""
    slots = f", {number(bar.slots)} slots" if bar.slots > 1 else ""
    dry = ", dry run" if bar.dry_run else ""
    title = f"Run {bar.id}: {words(bar.outcome)}{took}{slots}{dry}, {bar.started_at:%Y-%m-%d %H:%M:%S} UTC"
    return Bar(bar.seconds, title, bar.outcome, f"/runs/{bar.id}")


def span(view: models.Overview) -> tuple[int, int]:
    """How many hours the timeline shows, and the minutes between its marks.

    It shows 24 hours, and fewer if nothing ran before.
    """
    first = min((bar.started_at for row in view.timeline for bar in row.bars), default=view.since)
    return next(one for one in SPANS if one[0] == 24 or view.now - first < timedelta(hours=one[0]))


def lane_of(row: models.TimelineRow, since: datetime, until: datetime, minutes: int) -> Markup:
    """One job's runs between two moments."""
    return lane([_stretch(bar) for bar in row.bars], since, until, f"Runs of {row.job}", minutes)


def _stretch(bar: models.TimelineBar) -> Stretch:
    counted = {str(outcome): count for outcome, count in bar.counted.items()}
    return Stretch(bar.started_at, bar.ended_at, bar.outcome, f"/runs/{bar.run}", counted)


def hours(told: Sequence[models.Hour], field: str, unit: str) -> Markup:
    """A column for each hour, as high as the hour's value of `field`."""
    values = [getattr(hour, field) for hour in told]
    bars = [Bar(value, _hour_title(hour, value, unit)) for hour, value in zip(told, values, strict=True)]
    quarters = [(place, hour) for place, hour in enumerate(told) if hour.at.hour % 6 == 0]
    times = [((place + 0.5) / len(told), f"{hour.at:%H:%M}") for place, hour in quarters]
    most = max(values, default=0)
    label = f"{unit.capitalize()} per hour over 24 hours: {number(sum(values))} in all, at most {number(most)}"
    return columns(bars, label, count_scale(most), times)


def _hour_title(hour: models.Hour, value: int, unit: str) -> str:
    return f"{hour.at:%H:%M} to {hour.at + timedelta(hours=1):%H:%M} UTC: {number(value)} {unit}"


def charts_of(points: Sequence[models.Point]) -> list[Chart]:
    """A job's charts: durations; rows and messages, if its runs counted any."""
    shown = points[-POINTS:]
    if not shown:
        return []
    drawn = [_runs_chart("Duration", shown, lambda point: point.seconds, duration, seconds_scale)]
    if any(point.rows for point in shown):
        drawn.append(_runs_chart("Rows", shown, lambda point: point.rows, number, count_scale))
    if any(point.published for point in shown):
        drawn.append(_runs_chart("Messages published", shown, lambda point: point.published, number, count_scale))
    return drawn


def _runs_chart(
    title: str,
    points: Sequence[models.Point],
    value: Callable[[models.Point], float],
    text: Callable[[Any], str],
    scale: Callable[[float], list[Tick]],
) -> Chart:
    values = [(point, value(point)) for point in points]
    bars = [Bar(one, _run_title(point, text(one)), point.outcome, f"/runs/{point.id}") for point, one in values]
    most = max(one for _, one in values)
    ends = [(0.0, points[0]), (1.0, points[-1])] if len(points) > 1 else [(0.5, points[0])]
    times = [(share, f"{point.started_at:%d %b %H:%M}") for share, point in ends]
    label = f"{title} of the last {len(points)} runs, at most {text(most)}"
    rows = [(point, text(one)) for point, one in reversed(values)]
    return Chart(title, title.lower().replace(" ", "-"), columns(bars, label, scale(most), times), rows)


def _run_title(point: models.Point, text: str) -> str:
    return f"Run {point.id}: {text}, {words(point.outcome)}, {point.started_at:%Y-%m-%d %H:%M:%S} UTC"
