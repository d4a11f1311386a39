"""The strip: bars for a job's last runs."""

from janitor.web.charts.strip import HEIGHT, strip
from janitor.web.charts.svg import Bar
from tests.web.charts.drawings import drawn, heights


def test_a_strip_shows_the_last_thirty_runs_by_duration() -> None:
    bars = [Bar(float(seconds), f"run {seconds}", "succeeded", f"/runs/{seconds}") for seconds in range(40)]
    found = drawn(strip(bars, "runs"))
    links = list(found.iter("a"))
    assert [link.get("href") for link in links] == [f"/runs/{run}" for run in range(10, 40)]
    assert [link.get("tabindex") for link in links] == ["-1"] * 29 + ["0"]
    assert heights(strip(bars, "runs")) == sorted(heights(strip(bars, "runs")))
    assert max(heights(strip(bars, "runs"))) == HEIGHT - 8


def test_what_went_wrong_is_told_by_shape_too() -> None:
    good, bad = (strip([Bar(1, "", outcome, "/")], "") for outcome in ("succeeded", "failed"))
    lost = strip([Bar(0, "", "missed", "/")], "")
    assert "mark" not in [path.get("class") for path in drawn(good).iter("path")]
    assert [path.get("class") for path in drawn(bad).iter("path")] == ["mark"]
    assert heights(lost, "hollow") and not heights(good, "hollow") + heights(bad, "hollow")
