"""Scales: round values beside a chart."""

import pytest

from janitor.web.charts.scales import count_scale, seconds_scale


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
    scale = seconds_scale(most)
    assert [tick.text for tick in scale] == texts
    assert scale[-1].value >= most


def test_a_scale_of_counts_has_round_values() -> None:
    assert [tick.text for tick in count_scale(37_000)] == ["0", "20k", "40k"]
    assert [tick.text for tick in count_scale(0)] == ["0", "0.5", "1"]
