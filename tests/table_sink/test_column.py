"""Columns: what becomes of a value before it is stored, and which values do not fit."""

from dataclasses import replace
from datetime import date, datetime, timedelta, timezone
from typing import Any

import pytest

from janitor.table_sink.column import Column, integer_range

TEXT = Column("word", "text", True, "varchar(5)", characters=5)
NUMBER = Column("number", "integer", False, "tinyint", low=-128, high=127)
DAY = Column("day", "date", True, "date", low=date(1000, 1, 1), high=date.max)
INSTANT = Column("at", "datetime", True, "datetime(3)", low=datetime(1000, 1, 1), high=datetime.max, digits=3)
NOON = datetime(2026, 7, 1, 12, 0, 0, 123456)


def test_an_instant_becomes_utc_and_loses_further_digits() -> None:
    aware = NOON.replace(tzinfo=timezone(timedelta(hours=2)))
    assert INSTANT.prepared([aware, NOON, None, "soon"]) == [
        datetime(2026, 7, 1, 10, 0, 0, 123000),
        datetime(2026, 7, 1, 12, 0, 0, 123000),
        None,
        "soon",
    ]
    assert replace(INSTANT, digits=6).prepared([NOON]) == [NOON]


def test_a_char_column_drops_trailing_spaces_only() -> None:
    assert replace(TEXT, padded=True).prepared([" a  ", "b\t", None]) == [" a", "b\t", None]
    assert TEXT.prepared(["a  "]) == ["a  "]


def test_true_and_false_become_whole_numbers() -> None:
    prepared = NUMBER.prepared([True, 7, False])
    assert prepared == [1, 7, 0] and set(map(type, prepared)) == {int}


@pytest.mark.parametrize(
    ("column", "value", "reason"),
    [
        (NUMBER, None, "number is missing (NULL), and the table needs it"),
        (NUMBER, 128, "number 128 is outside what the table can hold, -128 to 127"),
        (NUMBER, "7", "number is '7' (str); the table holds whole numbers"),
        (TEXT, "sixsix", "word has 6 characters; the table holds at most 5"),
        (replace(TEXT, characters=None, octets=3), "éé", "word has 4 bytes; the table holds at most 3"),
        (replace(TEXT, charset="latin1"), "Ł", "word contains 'Ł' (U+0141), which the table's character set latin1"),
        (DAY, NOON, "day is datetime.datetime(2026, 7, 1, 12, 0, 0, 123456) (datetime); the table holds dates"),
        (INSTANT, datetime(999, 1, 1), "at 0999-01-01 00:00:00 is outside what the table can hold"),
        (TEXT, b"x" * 99, "word is b'" + "x" * 55 + "... (bytes); the table holds text"),
    ],
)
def test_a_value_that_does_not_fit_is_told_in_words(column: Column, value: Any, reason: str) -> None:
    assert str(column.misfit(value)).startswith(reason)
    assert not column.takes_all([value])


@pytest.mark.parametrize(
    ("column", "values"),
    [
        (NUMBER, [-128, 127]),
        (TEXT, ["fives", "", None]),
        (replace(TEXT, characters=None, octets=3), ["abc"]),
        (DAY, [date(1000, 1, 1), None]),
        (INSTANT, [NOON, None]),
        (TEXT, [None]),
    ],
)
def test_values_at_the_limits_fit(column: Column, values: list[Any]) -> None:
    assert column.takes_all(values)
    assert [column.misfit(value) for value in values] == [None] * len(values)


def test_texts_beyond_ascii_are_looked_at_one_by_one() -> None:
    assert not TEXT.takes_all(["é"]) and TEXT.misfit("é") is None


def test_a_value_is_compared_as_it_was_stored() -> None:
    textual = replace(INSTANT, textual=True)
    assert textual.stored([NOON, None]) == ["2026-07-01 12:00:00.123", None]
    assert textual.comparable("2026-07-01 12:00:00.123456") == datetime(2026, 7, 1, 12, 0, 0, 123000)
    assert replace(INSTANT, digits=0).text(NOON) == "2026-07-01 12:00:00"
    assert DAY.comparable("2026-07-01") == date(2026, 7, 1)
    assert (DAY.comparable("never"), NUMBER.comparable("7")) == (None, None)
    assert INSTANT.stored([NOON]) == [NOON]


def test_null_is_marked_apart_from_every_value() -> None:
    assert TEXT.marked(["N", "", None]) == ["VN", "V", "N"]
    assert replace(TEXT, nullable=False).marked(["N", ""]) == ["N", ""]
    assert NUMBER.marked([-5, 7]) == ["-5", "7"] and NUMBER.marked([7, None]) == ["7", "N"]
    assert INSTANT.marked([NOON, None]) == ["2026-07-01 12:00:00.123", "N"]


def test_the_range_of_whole_numbers_follows_the_bits() -> None:
    assert (integer_range(8, unsigned=False), integer_range(8, unsigned=True)) == ((-128, 127), (0, 255))
