"""Durations, numbers and names, as people read them."""

from datetime import datetime, timedelta, timezone

import pytest

from janitor.web.words import amount, distance, duration, first_line, number, percent, sentence, words

NOON = datetime(2026, 3, 2, 12, tzinfo=timezone.utc)


@pytest.mark.parametrize(
    ("seconds", "long", "short"),
    [
        (None, "", ""),
        (0, "0 ms", "0 s"),
        (0.0004, "under 1 ms", "0 s"),
        (0.04, "40 ms", "0 s"),
        (0.9996, "1.0 s", "1 s"),
        (1.34, "1.3 s", "1 s"),
        (9.96, "10 s", "10 s"),
        (60, "1 min", "1 min"),
        (125, "2 min 5 s", "2 min"),
        (11_400, "3 h 10 min", "3 h"),
        (187_300, "2 d 4 h", "2 d"),
    ],
)
def test_a_duration_has_two_parts_or_one_if_it_is_short(seconds: float | None, long: str, short: str) -> None:
    assert (duration(seconds), duration(seconds, short=True)) == (long, short)


def test_a_distance_tells_past_and_future() -> None:
    assert distance(NOON - timedelta(minutes=3, seconds=20), NOON) == "3 min ago"
    assert distance(NOON + timedelta(hours=2), NOON) == "in 2 h"
    assert distance(NOON - timedelta(seconds=1), NOON) == distance(NOON + timedelta(seconds=1), NOON) == "now"


def test_numbers_have_commas_between_their_thousands() -> None:
    assert [number(value) for value in (1234567, 0.25, True, "many")] == ["1,234,567", "0.25", "True", "many"]
    assert [amount(value) for value in (1234.0, 0.5, 12345.678)] == ["1,234", "0.5", "1.235e+04"]


def test_a_first_line_is_cut_to_its_length() -> None:
    assert first_line("\n  it broke\nTraceback") == "it broke"
    assert (first_line("a" * 160), first_line("a" * 161)) == ("a" * 160, "a" * 159 + "…")
    assert first_line("one two", 5) == "one…"
    assert first_line(None) == first_line(" \n ") == ""


def test_names_and_sentences_are_read_by_people() -> None:
    assert (words("timed_out"), words(None)) == ("timed out", "")
    assert (sentence("janitor says No"), sentence("")) == ("Janitor says No", "")


@pytest.mark.parametrize(
    ("share", "said"),
    [
        (0, "0 %"),
        (0.0001, "under 1 %"),
        (0.29, "29 %"),
        (0.5, "50 %"),
        (0.999999, "99 %"),
        (1, "100 %"),
        (1.0, "100 %"),
    ],
)
def test_a_hundred_per_cent_is_all_of_it(share: float, said: str) -> None:
    assert percent(share) == said
