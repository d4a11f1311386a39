"""Bounds: a long text is shortened by its bytes, whatever its characters are, and says so."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from janitor.runs.bounds import listed_near, shortened, shown


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("", ""),
        ("short", "short"),
        ("x" * 100, "x" * 100),
        ("é" * 50, "é" * 50),
        ("half \udcff", "half \\udcff"),
        ("x" * 101, "x" * 75 + " ... (101 bytes in all)"),
        ("\U0001f9ea" * 26, "\U0001f9ea" * 18 + " ... (104 bytes in all)"),
    ],
)
def test_a_text_is_kept_up_to_its_bound(text: str, kept: str) -> None:
    found = shortened(text, 100)
    assert len(found.encode()) <= 100 and (found == kept or found.partition(" ... ")[2] == kept.partition(" ... ")[2])


def test_the_middle_may_be_left_out() -> None:
    found = shortened("begin" + "é" * 1_000 + "end", 100, keep_end=True)
    assert found.startswith("begin") and found.endswith("end") and "(2,008 bytes in all)" in found
    assert 90 < len(found.encode()) <= 100


@given(st.text(st.characters(), max_size=400), st.integers(100, 500), st.booleans())
def test_no_text_is_longer_than_its_bound(text: str, most: int, keep_end: bool) -> None:
    found = shortened(text, most, keep_end=keep_end)
    assert len(found.encode("utf-8")) <= most
    assert found == text or "bytes in all)" in found or "\\ud" in found


def test_a_value_in_lists_within_lists_is_shown_in_short() -> None:
    within: object = "x"
    for _ in range(8):
        within = [within] * 500
    assert shown(within, 100).startswith("[[[[") and len(shown(within, 100)) < 5_000
    assert shown({"a": (1, 2)}, 100) == "{'a': (1, 2)}"


def test_of_very_many_names_the_nearest_come_first() -> None:
    few, many = ["a", "b"], [f"job_{number:03}" for number in range(300)]
    assert listed_near("c", few) == "a, b"
    told = listed_near("job-042", many)
    assert told.startswith("job_042, ") and told.endswith(" and 280 more") and told.count("job_042") == 1
