"""Columns over time: as high as their values, and each with its share of the width."""

from janitor.web.charts.columns import BASE, TOP, columns
from janitor.web.charts.scales import count_scale
from janitor.web.charts.svg import LEAST_HEIGHT, Bar
from tests.web.charts.drawings import drawn, heights

FULL = BASE - TOP


def test_a_column_is_as_high_as_its_share_of_the_scale() -> None:
    plot = columns([Bar(100.0, "a"), Bar(25.0, "b"), Bar(0.001, "c"), Bar(0.0, "d")], "", count_scale(100), [])
    assert heights(plot) == [FULL, FULL / 4, LEAST_HEIGHT, 0.0]
    assert [text.text for text in drawn(plot).iter("text")] == ["0", "50", "100"]
    assert [float(line.get("y1", "")) for line in drawn(plot).iter("line")] == [BASE, (BASE + TOP) / 2, TOP]


def test_a_run_that_failed_at_once_can_still_be_seen() -> None:
    bars = [Bar(0.0, "", "failed"), Bar(0.0, "", "timed_out"), Bar(0.0, "", "succeeded")]
    assert heights(columns(bars, "", count_scale(0), [])) == [LEAST_HEIGHT, LEAST_HEIGHT, 0.0]


def test_an_hour_without_a_value_has_room_and_no_column() -> None:
    plot = columns([Bar(None, "no run"), Bar(3.0, "three")], "", count_scale(3), [])
    assert len(heights(plot)) == 1 and heights(plot, "room") == [FULL, FULL]
    assert [room.get("x") for room in drawn(plot).iter("rect") if room.get("class") == "room"] == ["0.00%", "50.00%"]


def test_the_tab_key_stops_at_the_last_column_alone() -> None:
    bars = [Bar(1.0, f"run {run}", "succeeded", f"/runs/{run}") for run in range(3)]
    links = list(drawn(columns(bars, "", count_scale(1), [])).iter("a"))
    assert [(link.get("href"), link.get("tabindex")) for link in links] == [
        ("/runs/0", "-1"),
        ("/runs/1", "-1"),
        ("/runs/2", "0"),
    ]
