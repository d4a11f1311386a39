"""What a compute worker's answer means: a result, or an error with a code and a message for people."""

import json
from typing import Any

import pytest

from janitor.http import Response
from janitor.items.forward_answers import Fields, Trouble, read

FLAT = Fields("", "errorCode", "userMessage")
DEEP = Fields("outcome.error", "error_code", "user_message")


def answer(content: Any, status: int = 200, fields: Fields = Fields()) -> tuple[Any, Trouble | None]:
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    return read(Response(status, body, {}), fields, "the worker")


@pytest.mark.parametrize(
    "content",
    [{"value": 7}, [1, 2], 7, None, "text", {"error": None}, {"error": False}, {"error": ""}, {"code": "E7", "a": 1}],
)
def test_what_has_no_error_is_a_result(content: Any) -> None:
    assert answer(content) == (content, None)
    assert answer(content, 201) == (content, None)


@pytest.mark.parametrize(
    ("content", "fields", "trouble"),
    [
        ({"error": {"code": "E7", "message": "too few cells"}}, Fields(), Trouble("too few cells", "E7")),
        ({"error": {"code": 7, "message": "a\n b"}}, Fields(), Trouble("a b", "7")),
        ({"error": "too few cells"}, Fields(), Trouble("too few cells", None)),
        ({"error": ["a", "größe"]}, Fields(), Trouble('["a", "größe"]', None)),
        ({"error": True}, Fields(), Trouble("the worker says that it failed", None)),
        ({"error": {}}, Fields(), Trouble("the worker says that it failed, with the code of none", None)),
        ({"error": {"code": "E7"}}, Fields(), Trouble("the worker says that it failed, with the code E7", "E7")),
        ({"error": {"message": {"a": 1}}}, Fields(), Trouble('{"a": 1}', None)),
        ({"errorCode": "E7", "userMessage": "few"}, FLAT, Trouble("few", "E7")),
        ({"userMessage": "few"}, FLAT, Trouble("few", None)),
        ({"outcome": {"error": {"error_code": "E7", "user_message": "few"}}}, DEEP, Trouble("few", "E7")),
    ],
)
def test_an_error_is_told_whatever_the_status(content: Any, fields: Fields, trouble: Trouble) -> None:
    assert [answer(content, status, fields)[1] for status in (200, 400, 500)] == [trouble] * 3


@pytest.mark.parametrize("content", [{"errorCode": None, "value": 7}, {"value": 7}, [1], {"outcome": 7}])
def test_fields_that_are_not_there_are_no_error(content: Any) -> None:
    assert answer(content, fields=FLAT) == (content, None)
    assert answer(content, fields=DEEP) == (content, None)


@pytest.mark.parametrize("status", [302, 400, 404, 500])
def test_a_status_that_is_no_yes_is_told(status: int) -> None:
    _, trouble = answer(b"<h1>no\n such  page</h1>" + b"x" * 900, status)
    assert trouble is not None and trouble.code == "refused"
    assert trouble.reason == f"the worker answered {status}: <h1>no such page</h1>{'x' * 279}"
    assert answer(b"", status)[1] == Trouble(f"the worker answered {status}", "refused")


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"", "its answer is empty"),
        (b'{"a": [1, 2', "Expecting ',' delimiter"),
        (b"<html>", "Expecting value"),
        (b'"\xff"', "'utf-8' codec can't decode byte 0xff"),
        (b'{"a": NaN}', "NaN is no number in JSON"),
        (b"[" * 100_000, "maximum recursion depth exceeded"),
    ],
)
def test_what_is_no_json_is_told(body: bytes, says: str) -> None:
    content, trouble = answer(body)
    assert content is None and trouble is not None and trouble.code == "bad answer"
    assert trouble.reason.startswith(f"the worker answered with no JSON: {says}") and len(trouble.reason) < 400


def test_a_long_message_is_cut() -> None:
    _, trouble = answer({"error": "x" * 5_000})
    assert trouble == Trouble("x" * 1_000, None)
