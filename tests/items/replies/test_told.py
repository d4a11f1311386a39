"""What replies tell: always the same names, and never what an item was asked with."""

import json
from datetime import date
from decimal import Decimal

from janitor.items.replies.told import find_in, json_bytes, told, told_whole
from janitor.items.templates import filled
from tests.items.answers import FAILURE, TOKEN, Kept, answer


def test_an_item_that_ended_well_is_told() -> None:
    assert told(answer(content=Kept(b"x"))) == {
        "id": "analyses-41",
        "pipeline": "analyses",
        "key": "K7",
        "status": "processed",
        "kind": "ok",
        "reason": None,
        "code": None,
        "is_late": False,
        "ended_at": "2026-07-01T12:30:01.250+00:00",
        "address": "s3://results/K7",
    }


def test_a_failure_is_told_with_its_reason_and_code() -> None:
    said = json.loads(told_whole(answer(**FAILURE, is_late=True)))
    assert (said["status"], said["kind"], said["code"]) == ("too few cells", "error", "E7")
    assert (said["reason"], said["is_late"], said["results"]) == ("it has 2 größe cells", True, {})


def test_arguments_and_envelope_are_not_told() -> None:
    whole = told_whole(answer(envelope={"reply_to": "queue-of-somebody"}))
    assert TOKEN.encode() not in whole and b"queue-of-somebody" not in whole


def test_dates_decimals_and_half_characters_are_told_too() -> None:
    values = {"day": date(2026, 7, 1), "price": Decimal("1.10"), "half": "\ud800", "name": "größe"}
    assert json.loads(json_bytes(values)) == {"day": "2026-07-01", "price": "1.10", "half": "\ud800", "name": "größe"}


def test_templates_find_what_is_told_then_arguments_then_the_envelope() -> None:
    find = find_in(answer(args={"status": "hers", "a": {"b": 1}}, envelope={"a": 2, "c": 3}))
    assert filled("{status} {a.b} {c} {reply_id}", find) == "processed 1 3 analyses-41"
