"""Types made of others, and logical types within them: what is written is what any reader of Avro reads."""

import io
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import fastavro
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from janitor.publisher import BadMessage, Schema
from tests.random_inputs import inputs

MICROS = {"type": "long", "logicalType": "timestamp-micros"}
PRICE = {"type": "bytes", "logicalType": "decimal", "precision": 12, "scale": 3}
SMALL = {"type": "fixed", "name": "lab.Small", "size": 4, "logicalType": "decimal", "precision": 9, "scale": 2}
COLOUR = {"type": "enum", "name": "lab.Colour", "symbols": ["RED", "GREEN", "BLUE"]}
HASH = {"type": "fixed", "name": "lab.Hash", "size": 3}

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
zones = st.sampled_from([UTC, timezone(timedelta(hours=5, minutes=30)), timezone(timedelta(hours=-8))])
micros = st.datetimes(datetime(1, 1, 3), datetime(9999, 12, 29), timezones=zones)
prices = st.decimals(-999_999_999, 999_999_999, places=3)
smalls = st.decimals(-9_999_999, 9_999_999, places=2)
colours = st.sampled_from(COLOUR["symbols"])
longs = st.integers(-(2**63), 2**63 - 1)

TYPES: dict[str, tuple[Any, st.SearchStrategy[Any]]] = {
    "decimal": (PRICE, prices),
    "fixed decimal": (SMALL, smalls),
    "date": ({"type": "int", "logicalType": "date"}, st.dates()),
    "uuid": ({"type": "string", "logicalType": "uuid"}, st.uuids()),
    "timestamp-micros": (MICROS, micros),
    "enum": (COLOUR, colours),
    "fixed": (HASH, st.binary(min_size=3, max_size=3)),
    "bytes": ("bytes", st.binary(max_size=200)),
    "float": ("float", st.floats(width=32, allow_nan=False, allow_infinity=False)),
    "array": ({"type": "array", "items": "long"}, st.lists(longs, max_size=9)),
    "array of what may be null": (
        {"type": "array", "items": ["null", PRICE]},
        st.lists(st.none() | prices, max_size=5),
    ),
    "map": ({"type": "map", "values": MICROS}, st.dictionaries(texts, micros, max_size=5)),
    "map of arrays of enums": (
        {"type": "map", "values": {"type": "array", "items": COLOUR}},
        st.dictionaries(texts, st.lists(colours, max_size=3), max_size=3),
    ),
}


def by_name(declared: Any) -> Any:
    """The type once more in the same schema: a type that has a name is declared once, and then named."""
    if isinstance(declared, dict):
        return declared.get("name") or {key: by_name(value) for key, value in declared.items()}
    return [by_name(each) for each in declared] if isinstance(declared, list) else declared


def schema_of(declared: Any) -> Schema:
    """A record with a field of the type, a field of it or null, and a text after them."""
    fields = [("one", declared), ("perhaps", ["null", by_name(declared)]), ("rest", "string")]
    return Schema.parse(
        {"type": "record", "name": "lab.Row", "fields": [{"name": name, "type": type} for name, type in fields]}
    )


SCHEMAS = {name: schema_of(declared) for name, (declared, _) in TYPES.items()}


@pytest.mark.parametrize("name", TYPES)
@settings(max_examples=inputs(25))
@given(data=st.data())
def test_each_type_is_read_as_it_was_written(name: str, data: st.DataObject) -> None:
    # Given: any value of a type, by itself and as what may be null.
    # What happens: it is written as a message, as JSON and as a file, and read by fastavro.
    # What must hold: it is the same, and equal records have equal bytes.
    schema, values = SCHEMAS[name], TYPES[name][1]
    record = {"one": data.draw(values), "perhaps": data.draw(st.none() | values), "rest": "after"}
    assert schema.problem(record) is None
    message = schema.encode(record)
    read: Any = fastavro.schemaless_reader(io.BytesIO(message[10:]), schema.parsed, None)
    assert read == record == schema.decode(message)
    assert schema.decode_lines(schema.encode_lines([record, record])) == [record, record]
    file = io.BytesIO()
    schema.write_container(file, [record], {})
    assert schema.read_container(io.BytesIO(file.getvalue()))[1] == [record]
    assert schema.encode(read) == message


@given(st.dictionaries(texts, st.integers(-(2**31), 2**31 - 1), min_size=2, max_size=6))
def test_equal_maps_have_equal_bytes(value: dict[str, int]) -> None:
    schema = schema_of({"type": "map", "values": "int"})
    turned = dict(reversed(value.items()))
    assert schema.encode({"one": value, "rest": ""}) == schema.encode({"one": turned, "rest": ""})


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("enum", "PINK", "one is 'PINK': it must be one of RED, GREEN, BLUE"),
        ("enum", ["RED"], "one is ['RED']: it must be one of"),
        ("fixed", b"xx", "one is b'xx': it must be 3 bytes"),
        ("bytes", "text", "one is 'text': it must be bytes"),
        ("float", 1e39, "one is 1e+39: it must be a finite number that float can hold"),
        ("array", "123", "one is '123': it must be a list"),
        ("array", [1, 2, "3"], "one[2] is '3': it must be a whole number"),
        ("array", [1, None], "one[1] is missing"),
        ("map", [("a", 1)], "one is [('a', 1)]: it must be a mapping"),
        ("map", {7: datetime(2026, 7, 1, tzinfo=UTC)}, "one is {7: datetime"),
        ("map of arrays of enums", {"a": ["RED", "PINK"]}, "one['a'][1] is 'PINK': it must be one of"),
        ("map of arrays of enums", {"a": None}, "one['a'] is missing"),
    ],
)
def test_what_does_not_fit_is_said_by_place(name: str, value: Any, sentence: str) -> None:
    schema, record = SCHEMAS[name], {"one": value, "rest": ""}
    assert str(schema.problem(record)).startswith(sentence)
    with pytest.raises(BadMessage):
        schema.encode(record)
