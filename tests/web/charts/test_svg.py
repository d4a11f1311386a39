"""What all charts share: whole XML, and no style of their own."""

import re

import pytest

from janitor.web.charts import columns, strip
from janitor.web.charts.scales import count_scale, seconds_scale
from janitor.web.charts.svg import Bar, tag
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


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Run 7: 1.3 s, 50 %", "Run 7: 1.3 s, 50 %"),
        ("a & b", "a &amp; b"),
        ('"x"', "&#34;x&#34;"),
        ("<i>", "&lt;i&gt;"),
        ("é\u202e", "é\\u202e"),
        ("two\nlines", "two\\nlines"),
    ],
)
def test_texts_are_escaped_in_attributes_and_between_tags(text: str, shown: str) -> None:
    assert tag("text", text, aria_label=text) == f'<text aria-label="{shown}">{shown}</text>'


def test_a_chart_has_no_style_of_its_own() -> None:
    text = strip.strip([Bar(1, "a", "failed", "/")], "a") + columns.columns(
        [Bar(1, "a")], "a", count_scale(1), [(0.5, "b")]
    )
    assert not re.search(r"style=|<style|on\w+=", text)
