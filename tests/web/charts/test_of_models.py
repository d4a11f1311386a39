"""Which charts the models make, and what each says in words."""

from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from janitor.web.charts.of_models import charts_of, hours, lane_of, span, strip_of
from janitor.web.queries import models
from tests.web.charts.drawings import drawn, heights

NOON = datetime(2026, 3, 2, 12, tzinfo=timezone.utc)
HOUR = timedelta(hours=1)


def line_of(strip: Sequence[models.Bar]) -> models.JobLine:
    """A job with the last runs of its strip."""
    return models.JobLine.model_construct(id="tick", strip=list(strip))


def bar(run: int, outcome: models.Outcome, **more: Any) -> models.Bar:
    """A run in a strip."""
    fields: dict[str, Any] = {"started_at": NOON, "ended_at": NOON, "seconds": 1.5, "slots": 1, "dry_run": False}
    return models.Bar(id=run, outcome=outcome, **fields | more)


def point(run: int, **more: Any) -> models.Point:
    """A run in a job's charts."""
    fields: dict[str, Any] = {"rows": 0, "published": 0, "counts": {}, "seconds": float(run), "outcome": "succeeded"}
    return models.Point(id=run, started_at=NOON + run * HOUR, **fields | more)


def overview(began: Sequence[datetime]) -> models.Overview:
    """The last day before noon, with runs that began at these moments."""
    bars = [
        models.TimelineBar(outcome="failed", started_at=at, ended_at=at, runs=1, run=1, counted={"failed": 1})
        for at in began
    ]
    rows = [models.TimelineRow(job="tick", bars=bars)]
    return models.Overview.model_construct(now=NOON, since=NOON - 24 * HOUR, timeline=rows)


def titles(svg: str) -> list[str | None]:
    """The words of each bar."""
    return [title.text for title in drawn(svg).iter("title")]


def test_a_strip_says_how_the_last_runs_went() -> None:
    strip = strip_of(line_of([bar(1, "failed", dry_run=True), bar(2, "missed", slots=1200), bar(3, "failed")]))
    assert drawn(strip).get("aria-label") == "The last 3 runs of tick: 2 failed, 1 missed"
    assert titles(strip) == [
        "Run 1: failed, 1.5 s, dry run, 2026-03-02 12:00:00 UTC",
        "Run 2: missed, 1,200 slots, 2026-03-02 12:00:00 UTC",
        "Run 3: failed, 1.5 s, 2026-03-02 12:00:00 UTC",
    ]
    assert drawn(strip_of(line_of([]))).get("aria-label") == "tick has not run yet"


@pytest.mark.parametrize(
    ("hours_ago", "shown"),
    [
        ((0.5,), (1, 10)),
        ((1,), (3, 30)),
        ((0.5, 5.9), (6, 60)),
        ((23,), (24, 180)),
        ((), (24, 180)),
        ((50,), (24, 180)),
    ],
)
def test_a_timeline_shows_a_day_or_what_has_been(hours_ago: Sequence[float], shown: tuple[int, int]) -> None:
    assert span(overview([NOON - at * HOUR for at in hours_ago])) == shown


def test_a_lane_leads_to_the_runs_of_its_job() -> None:
    [row] = overview([NOON - HOUR]).timeline
    lane = drawn(lane_of(row, NOON - 3 * HOUR, NOON, 30))
    assert lane.get("aria-label") == "Runs of tick"
    assert [(link.get("href"), link.get("aria-label")) for link in lane.iter("a")] == [
        ("/runs/1", "1 failed: 11:00:00 to 11:00:00 UTC")
    ]


def test_hours_are_summed_up_in_words() -> None:
    told = [models.Hour(at=NOON + hour * HOUR, published=hour * 1_000, rows=7) for hour in range(3)]
    chart = hours(told, "published", "messages")
    assert 'aria-label="Messages per hour over 24 hours: 3,000 in all, at most 2,000"' in chart
    assert titles(chart)[2] == "14:00 to 15:00 UTC: 2,000 messages"
    assert [text.text for text in drawn(chart).iter("text")] == ["0", "1k", "2k", "12:00"]
    assert len(set(heights(hours(told, "rows", "rows")))) == 1


def test_a_job_has_only_charts_of_what_its_runs_counted() -> None:
    assert charts_of([]) == []
    assert [chart.name for chart in charts_of([point(1), point(2)])] == ["duration"]
    assert [chart.name for chart in charts_of([point(1, rows=4), point(2)])] == ["duration", "rows"]
    assert [chart.name for chart in charts_of([point(1, published=4)])] == ["duration", "messages-published"]


def test_a_chart_holds_the_last_sixty_runs_and_their_values() -> None:
    [chart] = charts_of([point(run) for run in range(70)])
    assert [(one.id, text) for one, text in chart.rows][:2] == [(69, "1 min 9 s"), (68, "1 min 8 s")]
    assert len(chart.rows) == len(heights(chart.drawn)) == 60
    assert 'aria-label="Duration of the last 60 runs, at most 1 min 9 s"' in chart.drawn
    assert titles(chart.drawn)[0] == "Run 10: 10 s, succeeded, 2026-03-02 22:00:00 UTC"
