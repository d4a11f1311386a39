"""Charts: what is drawn of runs, how wide, how high, and in which words."""

import re
from datetime import datetime, timedelta, timezone
from xml.etree import ElementTree

import pytest

from janitor.web.charts import svg as charts
from janitor.web.charts.svg import Bar, Stretch

NOON = datetime(2026, 7, 1, 12, tzinfo=timezone.utc)
HOSTILE = '"><script>&'


def drawn(svg: str) -> ElementTree.Element:
    """What was drawn, as XML: whatever is not well-formed fails."""
    return ElementTree.fromstring(svg)


def heights(svg: str, kind: str = "bar") -> list[float]:
    """How high the bars are."""
    return [
        float(one.get("height", "0")) for one in drawn(svg).iter("rect") if kind in (one.get("class") or "").split()
    ]


def test_a_strip_shows_the_last_thirty_runs_by_duration() -> None:
    bars = [Bar(float(seconds), f"run {seconds}", "succeeded", f"/runs/{seconds}") for seconds in range(40)]
    found = drawn(charts.strip(bars, "runs"))
    links = list(found.iter("a"))
    assert [link.get("href") for link in links] == [f"/runs/{run}" for run in range(10, 40)]
    assert [link.get("tabindex") for link in links] == ["-1"] * 29 + ["0"]
    assert heights(charts.strip(bars, "runs")) == sorted(heights(charts.strip(bars, "runs")))
    assert max(heights(charts.strip(bars, "runs"))) == charts.STRIP_HEIGHT - 8


def test_what_went_wrong_is_told_by_shape_too() -> None:
    good, bad = (charts.strip([Bar(1, "", outcome, "/")], "") for outcome in ("succeeded", "failed"))
    lost = charts.strip([Bar(0, "", "missed", "/")], "")
    assert "mark" not in [path.get("class") for path in drawn(good).iter("path")]
    assert [path.get("class") for path in drawn(bad).iter("path")] == ["mark"]
    assert heights(lost, "hollow") and not heights(good, "hollow") + heights(bad, "hollow")


@pytest.mark.parametrize("value", [0.0, -3.0, 1e-9, 1e12])
def test_no_duration_draws_out_of_a_chart(value: float) -> None:
    bars = [Bar(value, HOSTILE, "failed", HOSTILE), Bar(None, HOSTILE, HOSTILE)]
    strip = charts.strip(bars, HOSTILE)
    assert all(0 < height <= charts.STRIP_HEIGHT for height in heights(strip))
    columns = charts.columns(bars, HOSTILE, charts.seconds_scale(max(value, 0)), [(0.0, HOSTILE)])
    assert all(0 <= height <= charts.PLOT_HEIGHT for height in heights(columns)), columns
    assert [title.text for title in drawn(strip).iter("title")] == [HOSTILE, HOSTILE]


@pytest.mark.parametrize(
    ("most", "texts"),
    [
        (0.0, ["0", "0.5 ms", "1 ms"]),
        (0.013, ["0", "10 ms", "20 ms"]),
        (1.4, ["0", "1 s", "2 s"]),
        (95, ["0", "50 s", "100 s"]),
        (200, ["0", "2 min", "4 min"]),
        (10_000, ["0", "2 h", "4 h"]),
    ],
)
def test_a_scale_of_durations_has_round_values(most: float, texts: list[str]) -> None:
    scale = charts.seconds_scale(most)
    assert [tick.text for tick in scale] == texts
    assert scale[-1].value >= most


def test_a_scale_of_counts_has_round_values() -> None:
    assert [tick.text for tick in charts.count_scale(37_000)] == ["0", "20k", "40k"]
    assert [tick.text for tick in charts.count_scale(0)] == ["0", "0.5", "1"]


def test_runs_that_ended_alike_in_a_row_are_one_stretch() -> None:
    day = timedelta(days=1)
    runs = [
        Stretch(
            NOON + timedelta(minutes=minute), NOON + timedelta(minutes=minute, seconds=9), outcome, "/", {outcome: 1}
        )
        for minute, outcome in (
            (0, "succeeded"),
            (5, "succeeded"),
            (10, "failed"),
            (15, "succeeded"),
            (40, "succeeded"),
        )
    ]
    merged = charts.merge(reversed(runs), NOON, NOON + day)
    assert [(one.outcome, dict(one.counted)) for one in merged] == [
        ("succeeded", {"succeeded": 2}),
        ("failed", {"failed": 1}),
        ("succeeded", {"succeeded": 1}),
        ("succeeded", {"succeeded": 1}),
    ]
    assert merged[0].title == "2 succeeded: 12:00:00 to 12:05:09 UTC"


def test_a_lane_ends_where_its_time_ends() -> None:
    since, until = NOON, NOON + timedelta(hours=24)
    runs = [Stretch(since - timedelta(hours=5), since + timedelta(hours=6), "succeeded", "/runs/1", {"succeeded": 1})]
    runs.append(Stretch(until - timedelta(seconds=1), until + timedelta(hours=1), "running", "/runs/2", {"running": 1}))
    bars = [one for one in drawn(charts.lane(runs, since, until, "")).iter("rect") if one.get("class") == "bar"]
    places = [(float(bar.get("x", "")[:-1]), float(bar.get("width", "")[:-1])) for bar in bars]
    assert places == [(0.0, 25.0), (99.7, 0.3)]


def test_times_are_marked_where_they_are() -> None:
    marks = charts.marks(NOON + timedelta(minutes=30), NOON + timedelta(hours=24, minutes=30), 360)
    assert [text for _, text in marks] == ["18:00", "00:00", "06:00", "12:00"]
    assert [round(place, 2) for place, _ in marks] == [22.92, 47.92, 72.92, 97.92]
    marks = charts.marks(NOON + timedelta(minutes=5), NOON + timedelta(minutes=65), 20)
    assert [text for _, text in marks] == ["12:20", "12:40", "13:00"]


def test_a_chart_has_no_style_of_its_own() -> None:
    text = charts.strip([Bar(1, "a", "failed", "/")], "a") + charts.columns(
        [Bar(1, "a")], "a", charts.count_scale(1), [(0.5, "b")]
    )
    assert not re.search(r"style=|<style|on\w+=", text)
