"""Drawings: which charts the dashboard's models make."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

from janitor.web.charts import svg
from janitor.web.markup import Html
from janitor.web.queries import models
from janitor.web.rendering import duration, number, words

POINTS = 60
SPANS = ((1, 10), (3, 30), (6, 60), (12, 120), (24, 180))

Chart = tuple[str, str, Html, list[tuple[models.Point, str]]]
"""A title, a name for it in a page's addresses, the chart, and what it shows as rows of a table, the newest first."""


def strip(line: models.JobLine) -> Html:
    """A job's last runs."""
    return svg.strip([_bar(one) for one in line.strip], _strip_label(line))


def _bar(bar: models.Bar) -> svg.Bar:
    took = f", {duration(bar.seconds)}" if bar.seconds and bar.outcome not in svg.DID_NOT_RUN else ""
    slots = f", {number(bar.slots)} slots" if bar.slots > 1 else ""
    dry = ", dry run" if bar.dry_run else ""
    title = f"Run {bar.id}: {words(bar.outcome)}{took}{slots}{dry}, {bar.started_at:%Y-%m-%d %H:%M:%S} UTC"
    return svg.Bar(bar.seconds, title, bar.outcome, f"/runs/{bar.id}")


def _strip_label(line: models.JobLine) -> str:
    counts: dict[str, int] = {}
    for bar in line.strip:
        counts[bar.outcome] = counts.get(bar.outcome, 0) + 1
    told = ", ".join(f"{count} {words(outcome)}" for outcome, count in counts.items())
    return f"The last {len(line.strip)} runs of {line.id}: {told}" if told else f"{line.id} has not run yet"


def span(view: models.Overview) -> tuple[int, int]:
    """How many hours the timeline shows (fewer than 24 where nothing ran before), and the minutes between its marks."""
    first = min((bar.started_at for row in view.timeline for bar in row.bars), default=view.since)
    return next(
        (hours, minutes) for hours, minutes in SPANS if hours == 24 or view.now - first < timedelta(hours=hours)
    )


def lane(row: models.TimelineRow, since: datetime, until: datetime, minutes: int) -> Html:
    """One job's runs between two moments."""
    stretches = [
        svg.Stretch(
            one.started_at,
            one.ended_at,
            one.outcome,
            f"/runs/{one.run}",
            {str(outcome): count for outcome, count in one.counted.items()},
        )
        for one in row.bars
    ]
    return svg.lane(stretches, since, until, f"Runs of {row.job}", minutes)


def hours(told: Sequence[models.Hour], field: str, unit: str) -> Html:
    """How many of something there were in each hour."""
    values = [getattr(hour, field) for hour in told]
    bars = [
        svg.Bar(value, f"{hour.at:%H:%M} to {hour.at + timedelta(hours=1):%H:%M} UTC: {number(value)} {unit}")
        for hour, value in zip(told, values, strict=True)
    ]
    times = [
        ((place + 0.5) / len(told), f"{hour.at:%H:%M}") for place, hour in enumerate(told) if hour.at.hour % 6 == 0
    ]
    most = max(values, default=0)
    label = f"{unit.capitalize()} per hour over 24 hours: {number(sum(values))} in all, at most {number(most)}"
    return svg.columns(bars, label, svg.count_scale(most), times)


def of_job(points: Sequence[models.Point]) -> list[Chart]:
    """The charts of a job: durations, and what its runs did where they count that."""
    shown = points[-POINTS:]
    if not shown:
        return []
    drawn = [_runs_chart("Duration", shown, lambda point: point.seconds, duration, svg.seconds_scale)]
    if any(point.rows for point in shown):
        drawn.append(_runs_chart("Rows", shown, lambda point: point.rows, number, svg.count_scale))
    if any(point.published for point in shown):
        drawn.append(_runs_chart("Messages published", shown, lambda point: point.published, number, svg.count_scale))
    return drawn


def _runs_chart(
    title: str,
    points: Sequence[models.Point],
    value: Callable[[models.Point], float],
    text: Callable[[Any], str],
    scale: Callable[[float], list[svg.Tick]],
) -> Chart:
    bars = [
        svg.Bar(
            value(point),
            f"Run {point.id}: {text(value(point))}, {words(point.outcome)}, {point.started_at:%Y-%m-%d %H:%M:%S} UTC",
            point.outcome,
            f"/runs/{point.id}",
        )
        for point in points
    ]
    most = max(value(point) for point in points)
    ends = [(0.0, points[0]), (1.0, points[-1])] if len(points) > 1 else [(0.5, points[0])]
    times = [(share, f"{point.started_at:%d %b %H:%M}") for share, point in ends]
    label = f"{title} of the last {len(points)} runs, at most {text(most)}"
    kind = title.lower().replace(" ", "-")
    rows = [(point, text(value(point))) for point in reversed(points)]
    return title, kind, svg.columns(bars, label, scale(most), times), rows
