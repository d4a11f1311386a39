"""Types of Avro fields: the bytes of a value, and why a value does not fit."""

from datetime import UTC, datetime
from typing import Any

import pytest

from janitor.publisher.avro_kinds import MISFIT
from janitor.publisher.avro_types import Field

INSTANT = {"type": "long", "logicalType": "timestamp-millis"}


def field(declared: Any) -> Field:
    (made,) = Field.each_of([{"name": "f", "type": declared}])
    return made


@pytest.mark.parametrize(
    ("declared", "value", "encoded"),
    [
        ("boolean", True, "01"),
        ("int", -1, "01"),
        ("int", 64, "8001"),
        ("int", -(2**31), "ffffffff0f"),
        ("long", 2**63 - 1, "feffffffffffffffff01"),
        ("double", 0.5, "000000000000e03f"),
        ("string", "ü", "04c3bc"),
        (INSTANT, datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC), "d00f"),
        (["null", "string"], None, "00"),
        (["null", "string"], "a", "020261"),
        (["string", "null"], None, "02"),
        (["string", "null"], "a", "000261"),
    ],
)
def test_a_value_is_written_as_the_specification_says(declared: Any, value: object, encoded: str) -> None:
    assert field(declared).type.writer()(value).hex() == encoded
    assert field(declared).problem(value) is None


def test_a_long_text_is_written_with_its_size() -> None:
    assert field("string").type.writer()("x" * 1024)[:2].hex() == "8010"
    assert field("string").type.writer()("x" * 1023)[:2].hex() == "fe0f"


@pytest.mark.parametrize(
    ("declared", "value", "problem"),
    [
        ("int", 2**31, "f is 2147483648: it must be from -2147483648 to 2147483647"),
        ("int", True, "f is True: it must be a whole number"),
        ("boolean", 1, "f is 1: it must be true or false"),
        ("double", float("inf"), "f is inf: it must be a finite number that double can hold"),
        ("double", False, "f is False: it must be a number"),
        ("string", "\ud800", "f is '\\ud800': it holds half a character, which UTF-8 cannot write"),
        ("string", 7, "f is 7: it must be text"),
        (INSTANT, datetime(2026, 7, 1), "f is 2026-07-01T00:00:00 without a time zone: it must be an instant"),
        ("long", None, "f is missing"),
        (["null", "long"], "x" * 99, "f is '" + "x" * 56 + "...: it must be a whole number"),
    ],
)
def test_a_value_that_does_not_fit_is_told(declared: Any, value: object, problem: str) -> None:
    assert field(declared).problem(value) == problem
    with pytest.raises(MISFIT):
        field(declared).type.writer()(value)


def test_json_names_the_type_only_in_a_union() -> None:
    at = datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC)
    assert field(INSTANT).type.to_json(at) == 1000
    assert field(["null", INSTANT]).type.to_json(at) == {"long": 1000}
    assert (field(["null", "string"]).type.to_json("a"), field(["null", "string"]).type.to_json(None)) == (
        {"string": "a"},
        None,
    )


@pytest.mark.parametrize(
    "declared", ["time", ["int", "string"], {"type": "record", "name": "r", "fields": []}, ["null"]]
)
def test_a_type_that_is_not_written_is_refused(declared: Any) -> None:
    with pytest.raises(ValueError, match="^the field 'f' is of a type that is not written: "):
        field(declared)
