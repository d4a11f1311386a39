"""Counts: whatever a task counts, what is kept are a few finite numbers and short texts."""

import datetime
import enum
import importlib
import itertools
import json
import logging
from decimal import Decimal
from fractions import Fraction
from typing import Any

import orjson
import pytest

from janitor.jobs.counts import MOST, stored, taken, whole_sum
from janitor.jobs.json_texts import LARGEST

numpy: Any = importlib.import_module("numpy")  # comes with matplotlib: no test here is left out without it


class Level(enum.IntEnum):
    HIGH = 3


class Mute:
    def __str__(self) -> str:
        raise SystemExit(1)


class Liar:
    @property  # type: ignore[misc]
    def __class__(self) -> type:
        raise RuntimeError("none of your business")


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        (7, 7),
        (0.5, 0.5),
        (True, True),
        (None, None),
        ("a text", "a text"),
        (LARGEST - 1, LARGEST - 1),
        (2**70, 2.0**70),
        (numpy.int64(3), 3),
        (numpy.uint64(2**64 - 1), 2.0**64),
        (numpy.float32(0.5), 0.5),
        (numpy.bool_(True), True),
        (numpy.array(4), 4),
        (Decimal("0.5"), 0.5),
        (Decimal(2**60 + 1), 2**60 + 1),
        (Fraction(1, 4), 0.25),
        (Level.HIGH, 3),
        (datetime.timedelta(seconds=90), "0:01:30"),
        ([1, 2], "[1, 2]"),
        ("half \udcff", "half \\udcff"),
        (Mute(), "<exception str() failed>"),
    ],
    ids=lambda value: None if isinstance(value, Mute) else repr(value),
)
def test_a_value_is_kept_as_a_number_or_a_text(value: object, kept: object) -> None:
    counts = taken({"it": value})
    assert counts == {"it": kept} and type(counts["it"]) is type(kept)
    assert stored(json.dumps(counts)) == counts and orjson.dumps(counts)


@pytest.mark.parametrize(
    "value",
    [
        float("nan"),
        float("-inf"),
        10**400,
        numpy.float64("nan"),
        numpy.float16("inf"),
        Decimal("sNaN"),
        Decimal("1e999999"),
        Fraction(10**400, 3),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_is_no_finite_number_is_left_out(value: object, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        assert taken({"odd": value, "rows": 2}) == {"rows": 2}
    assert "some counts are left out, odd: " in caplog.text


def test_long_texts_and_lists_in_lists_are_short() -> None:
    within: object = "x"
    for _ in range(6):
        within = [within] * 200
    counts = taken({"text": "é" * 5_000, "rows": ["x" * 100] * 190_000, "within": within, "it": Liar()})
    assert list(counts) == ["text", "rows", "within", "it"]
    assert all(len(str(value).encode()) <= 200 for value in counts.values())
    assert "(10,000 bytes in all)" in str(counts["text"]) and str(counts["rows"]).startswith("['xxx")


def test_many_names_and_long_names_are_left_out(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        counts = taken({"n" * 64: 0, "n" * 65: 0, Mute(): 1, **{f"name{number}": number for number in range(500)}})
    assert len(counts) == MOST and "n" * 64 in counts and "n" * 65 not in counts
    assert "name500" not in counts and " and 393 more: " in caplog.text and len(caplog.text) < 2_000


def test_a_mapping_without_an_end_has_its_first_counts(caplog: pytest.LogCaptureFixture) -> None:
    class Endless(dict[int, int]):
        def items(self) -> Any:
            return ((number, 1) for number in itertools.count())

    with caplog.at_level(logging.WARNING):
        assert list(taken(Endless())) == [str(number) for number in range(MOST)]
    assert "109 and many more: a run keeps" in caplog.text


def test_counts_that_cannot_be_read_are_left_out(caplog: pytest.LogCaptureFixture) -> None:
    class Closed(dict[str, int]):
        def items(self) -> object:  # type: ignore[override]
            raise KeyError("closed")

    with caplog.at_level(logging.WARNING):
        assert taken(Closed(rows=1)) == {}
    assert "KeyError: 'closed'" in caplog.text


@pytest.mark.parametrize(
    ("text", "counts"),
    [
        (None, None),
        ("", None),
        ("{", None),
        ("[" * 100_000, None),
        ("[1]", None),
        ('{"a": ' + "9" * 5_000 + "}", {"a": None}),
        (
            '{"a": NaN, "b": 1e999, "c": 147573952589676412928, "d": [1]}',
            {"a": None, "b": None, "c": 2.0**67, "d": "[1]"},
        ),
    ],
    ids=lambda value: str(value)[:10],
)
def test_what_another_release_stored_is_read(text: str | None, counts: dict[str, object] | None) -> None:
    assert stored(text) == counts


def test_many_stored_counts_are_read_in_part() -> None:
    found = stored(json.dumps({f"{'n' * 200}{number}": 1 for number in range(3)} | {str(n): n for n in range(500)}))
    assert found is not None and len(found) <= MOST and max(map(len, found)) == 64


def test_sums_of_counts_are_whole_and_finite() -> None:
    assert (whole_sum([1, 2.75, "a", True, None]), whole_sum([]), whole_sum(["a"])) == (3, None, None)
    assert whole_sum([1e308, 1e308]) is None and whole_sum([2**62] * 4) == 2**64
