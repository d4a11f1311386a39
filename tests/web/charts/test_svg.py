"""What all charts share: whole XML, and no style of their own."""

import re

import pytest

from janitor.web.charts import columns, strip
from janitor.web.charts.scales import count_scale, seconds_scale
from janitor.web.charts.svg import Bar
from tests.web.charts.drawings import drawn, heights

HOSTILE = '"><script>&'


@pytest.mark.parametrize("value", [0.0, -3.0, 1e-9, 1e12])
def test_no_duration_draws_out_of_a_chart(value: float) -> None:
    bars = [Bar(value, HOSTILE, "failed", HOSTILE), Bar(None, HOSTILE, HOSTILE)]
    short = strip.strip(bars, HOSTILE)
    assert all(0 < height <= strip.HEIGHT for height in heights(short))
    plot = columns.columns(bars, HOSTILE, seconds_scale(max(value, 0)), [(0.0, HOSTILE)])
    assert all(0 <= height <= columns.HEIGHT for height in heights(plot)), plot
    assert [title.text for title in drawn(short).iter("title")] == [HOSTILE, HOSTILE]


def test_a_chart_has_no_style_of_its_own() -> None:
    text = strip.strip([Bar(1, "a", "failed", "/")], "a") + columns.columns(
        [Bar(1, "a")], "a", count_scale(1), [(0.5, "b")]
    )
    assert not re.search(r"style=|<style|on\w+=", text)
