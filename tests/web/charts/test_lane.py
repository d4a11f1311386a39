"""The lane: a job's runs in the timeline."""

from datetime import datetime, timedelta, timezone

from janitor.web.charts.lane import Stretch, lane, marks, merge
from tests.web.charts.drawings import drawn

NOON = datetime(2026, 7, 1, 12, tzinfo=timezone.utc)


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
    merged = merge(reversed(runs), NOON, NOON + day)
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
    bars = [one for one in drawn(lane(runs, since, until, "")).iter("rect") if one.get("class") == "bar"]
    places = [(float(bar.get("x", "")[:-1]), float(bar.get("width", "")[:-1])) for bar in bars]
    assert places == [(0.0, 25.0), (99.7, 0.3)]


def test_times_are_marked_where_they_are() -> None:
    found = marks(NOON + timedelta(minutes=30), NOON + timedelta(hours=24, minutes=30), 360)
    assert [text for _, text in found] == ["18:00", "00:00", "06:00", "12:00"]
    assert [round(place, 2) for place, _ in found] == [22.92, 47.92, 72.92, 97.92]
    found = marks(NOON + timedelta(minutes=5), NOON + timedelta(minutes=65), 20)
    assert [text for _, text in found] == ["12:20", "12:40", "13:00"]
