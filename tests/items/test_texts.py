"""JSON for items: what is kept of arguments, bounded and readable by every database."""

import json
from typing import Any

import pytest

from janitor.errors import BadSetting
from janitor.items.texts import DEEPEST, depth_of, json_text, value_of


@pytest.mark.parametrize(
    "value",
    [
        {},
        {"n": 1, "deep": [{"a": None}], "ü": "\U0001f40c"},
        {"half": "\ud800", "\udfff": 1},
        {"n": 10**300},
        {"least": -(2**63) - 1, "most": 2**64, "within": [2**63, -(2**63), 10**18 - 1]},
        {"share": 0.1, "small": 5e-324, "large": 1.7976931348623157e308, "text": "9" * 40},
    ],
)
def test_a_mapping_comes_back_as_it_was(value: dict[str, Any]) -> None:
    text = json_text("args", value, 10_000)
    assert json.loads(text) == value_of(text) == value
    text.encode("utf-8")  # as databases take it


def test_a_text_that_somebody_wrote_is_read_as_python_reads_it() -> None:
    for text in (
        ' {"a" : 1, "a": 2}',
        '{"n": 1e400}',
        '{"n": NaN}',
        '{"n": 18446744073709551616}',
        '{"n": -0}',
        "[1E2]",
    ):
        assert repr(value_of(text)) == repr(json.loads(text))
    with pytest.raises(ValueError):
        value_of("{")


def test_texts_stay_as_they_are_if_they_can() -> None:
    assert json_text("args", {"ü": "\U0001f40c"}, 100) == '{"ü":"\U0001f40c"}'


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ({"n": float("nan")}, "give JSON values alone"),
        ({"n": float("inf")}, "give JSON values alone"),
        ({"n": object()}, "give JSON values alone: Object of type object"),
        ({(1, 2): 3}, "give JSON values alone: keys must be"),
        ({"half": "\ud800", "n": float("nan")}, "give JSON values alone"),
    ],
)
def test_what_json_does_not_have_is_refused(value: dict[Any, Any], says: str) -> None:
    with pytest.raises(BadSetting, match=f"^args is 'dict': {says}"):
        json_text("args", value, 1_000)


def test_a_circle_is_refused() -> None:
    circle: dict[str, Any] = {}
    circle["again"] = circle
    with pytest.raises(BadSetting, match="JSON values alone"):
        json_text("args", circle, 1_000)
    deep: dict[str, Any] = {}
    for _ in range(100_000):
        deep = {"a": deep}
    with pytest.raises(BadSetting, match="JSON values alone"):
        json_text("args", deep, 10_000_000)


def test_what_is_too_long_is_refused_by_its_bytes() -> None:
    value = {"a": "ü" * 5}
    size = len(json_text("args", value, 100).encode())
    assert size == 18 and json_text("args", value, size)
    with pytest.raises(BadSetting, match="18 bytes of JSON.*give 17 at most"):
        json_text("args", value, size - 1)
    with pytest.raises(BadSetting, match="bytes of JSON"):
        json_text("args", {"half": "\ud800" * 20}, 100)


@pytest.mark.parametrize(
    ("value", "depth"),
    [(1, 0), ("text", 0), ({}, 0), ([1], 1), ({"a": 1}, 1), ([[], [[1]]], 3), ({"a": [{"b": 1}]}, 3)],
)
def test_how_deep_a_value_is(value: Any, depth: int) -> None:
    assert depth_of(value) == depth


def test_nobody_looks_deeper_than_asked() -> None:
    deep: Any = 1
    for _ in range(100_000):
        deep = [deep]
    assert depth_of(deep) == DEEPEST + 1 and depth_of(deep, 3) == 4
