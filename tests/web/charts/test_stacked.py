"""Stacked bars: each part as wide as its share, and no part too narrow to be seen."""

from janitor.web.charts.stacked import LEAST_WIDTH, stacked
from janitor.web.charts.svg import Bar
from tests.web.charts.drawings import drawn


def widths(svg: str) -> list[float]:
    """How wide each part is, in per cent of the bar."""
    return [float((one.get("width") or "").rstrip("%")) for one in drawn(svg).iter("rect")]


def test_a_part_is_as_wide_as_its_share() -> None:
    svg = stacked([Bar(30.0, "a", "ok"), Bar(0.0, "none", "error"), Bar(50.0, "b", "error"), Bar(20.0, "c")], "all")
    assert widths(svg) == [30.0, 50.0, 20.0]
    assert [one.get("x") for one in drawn(svg).iter("rect")] == ["0.00%", "30.00%", "80.00%"]
    assert [one.get("class") for one in drawn(svg).iter("g")] == ["mark-of o-ok", "mark-of o-error", "mark-of o-plain"]
    assert drawn(svg).get("aria-label") == "all"


def test_one_of_a_million_can_still_be_seen() -> None:
    svg = stacked([Bar(1_000_000.0, "many"), Bar(1.0, "one", "error", "/one"), Bar(1.0, "other", "ok", "/other")], "")
    assert widths(svg) == [round(100 - 2 * LEAST_WIDTH, 2), LEAST_WIDTH, LEAST_WIDTH]
    links = [(one.get("href"), one.get("tabindex")) for one in drawn(svg).iter("a")]
    assert links == [("/one", "-1"), ("/other", "0")]


def test_of_very_many_small_parts_all_are_drawn() -> None:
    assert len(widths(stacked([Bar(1.0, str(number)) for number in range(300)], ""))) == 300
    assert widths(stacked([], "")) == []
