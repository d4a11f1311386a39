"""How a notice writes a length of time."""

import pytest

from janitor.notices.times import duration_text


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.85, "850 ms"),
        (9.94, "9.9 s"),
        (42.9, "42 s"),
        (200, "3 min 20 s"),
        (7500, "2 h 5 min"),
        (200000, "2 days 7 h"),
    ],
)
def test_a_duration_has_one_or_two_units(seconds: float, words: str) -> None:
    assert duration_text(seconds) == words
