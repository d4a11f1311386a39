"""Avro's logical types: decimals are exact, and what does not fit is said in words."""

import uuid
from datetime import datetime
from decimal import Decimal
from typing import Any

import fastavro
import pytest
from hypothesis import given
from hypothesis import strategies as st

from janitor.publisher import BadMessage
from tests.publisher.test_avro_types import PRICE, SCHEMAS, prices, schema_of


@given(st.decimals(allow_nan=True, allow_infinity=True) | prices)
def test_a_decimal_is_exact_or_refused(value: Decimal) -> None:
    schema = SCHEMAS["decimal"]
    record = {"one": value, "rest": ""}
    if schema.problem(record) is None:
        assert schema.decode(schema.encode(record))["one"] == value
    else:
        exact = value.is_finite() and value == round(value, 3) if value.is_finite() and abs(value) < 10**9 else False
        assert not exact


@pytest.mark.parametrize("number", [0, 1, -1, 127, 128, -128, -129, 255, 32_767, -32_768, 10**12 - 1, 1 - 10**12])
def test_a_decimal_takes_as_few_bytes_as_may_be(number: int) -> None:
    message = SCHEMAS["decimal"].encode({"one": Decimal(number).scaleb(-3), "rest": ""})
    size = message[10] // 2
    assert int.from_bytes(message[11 : 11 + size], signed=True) == number
    assert size == 1 or not -(2 ** (8 * size - 9)) <= number < 2 ** (8 * size - 9)


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("decimal", Decimal("0.0001"), "one is Decimal('0.0001'): it must have at most 12 digits, 3 of them after"),
        ("decimal", Decimal("1E9"), "one is Decimal('1E+9'): it must have at most 12 digits"),
        ("decimal", Decimal("1E999999"), "one is Decimal('1E+999999'): it must have at most 12 digits"),
        ("decimal", Decimal("1E-999999"), "one is Decimal('1E-999999'): it must have at most 12 digits"),
        ("decimal", Decimal("NaN"), "one is Decimal('NaN'): it must have at most"),
        ("decimal", 1.5, "one is 1.5: it must be a decimal number"),
        ("fixed decimal", Decimal("99999999.99"), "one is Decimal('99999999.99'): it must have at most 9 digits"),
        ("date", datetime(2026, 7, 1), "one is datetime.datetime(2026, 7, 1, 0, 0): it must be a date"),
        ("date", "2026-07-01", "one is '2026-07-01': it must be a date"),
        ("uuid", str(uuid.UUID(int=7)), "one is '00000000-0000-0000-0000-000000000007': it must be a uuid"),
        ("timestamp-micros", datetime(2026, 7, 1), "one is 2026-07-01T00:00:00 without a time zone"),
    ],
)
def test_what_does_not_fit_is_said_in_words(name: str, value: Any, sentence: str) -> None:
    schema, record = SCHEMAS[name], {"one": value, "rest": ""}
    assert str(schema.problem(record)).startswith(sentence)
    with pytest.raises(BadMessage):
        schema.encode(record)


@pytest.mark.parametrize(
    "changes", [{"precision": 0}, {"precision": 2, "scale": 3}, {"scale": -1}, {"precision": None}]
)
def test_an_impossible_decimal_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises((ValueError, fastavro.schema.SchemaParseException)):
        schema_of(PRICE | changes)
