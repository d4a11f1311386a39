"""Stored JSON texts: whatever stands there is read as values that JSON has, or as nothing."""

import json

import orjson
import pytest

from janitor.jobs.json_texts import read


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (None, None),
        ("", None),
        ("{", None),
        ("[" * 100_000, None),
        ('{"a": [1, -2.5, "b", null, true]}', {"a": [1, -2.5, "b", None, True]}),
        ("[NaN, Infinity, -Infinity, 1e999]", [None, None, None, None]),
        (str(2**63 - 1), 2**63 - 1),
        (str(2**63), 2.0**63),
        ("9" * 301, None),
        ("9" * 5_000, None),
        (json.dumps({"half \ud800": "\ud800"}), {"half ?": "?"}),
    ],
    ids=lambda value: str(value)[:12],
)
def test_any_text_is_read(text: str | None, value: object) -> None:
    found = read(text)
    assert found == value and type(found) is type(value)
    assert orjson.loads(orjson.dumps(found)) == value
