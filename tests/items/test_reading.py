"""Reading messages: the key, the arguments, the secrets and the moments of an item; what is none says why."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from janitor.items.ends import Message
from janitor.items.reading import MOST_BYTES, NoItem, Reading, at_path, item_of, read, with_marks, without_secrets
from janitor.state.item_adding import NewItem

NOW = datetime(2026, 7, 1, 12, tzinfo=UTC)
SNAIL = "\U0001f40c"


def message(content: Any, **more: Any) -> Message:
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    return Message(body, **more)


def made(content: Any, reading: Reading | None = None, **more: Any) -> NewItem:
    """The item that a message asks for."""
    reading, one = reading or Reading(), message(content, **more)
    return item_of(reading, one, read(reading, one), "box", NOW)


def refused(content: Any, reading: Reading | None = None, **more: Any) -> NoItem:
    """Why a message is no item."""
    with pytest.raises(NoItem) as caught:
        made(content, reading, **more)
    return caught.value


def test_a_plain_message_is_an_item_with_all_of_it_as_arguments() -> None:
    found = made({"key": "k", "n": 1, "ü": SNAIL})
    assert (found.key, json.loads(found.args)) == ("k", {"key": "k", "n": 1, "ü": SNAIL})
    assert (found.order_at, found.priority, found.expires_at) == (NOW, 0, None)
    assert (found.origin, found.envelope, found.secrets, found.on_duplicate) == ("box", None, None, None)


def test_each_part_may_stand_elsewhere() -> None:
    reading = Reading(
        key_field="head.id",
        args_field="body",
        priority_field="head.priority",
        order_field="head.at",
        timeout_field="head.timeout",
        envelope_fields=("socketId", "head.reply"),
        secret_fields=("Authorization", "head.token"),
        on_duplicate="anew",
    )
    head = {"id": 7, "priority": 3, "at": "2026-06-01T10:00:00+02:00", "timeout": 90, "reply": "q", "token": "vault"}
    found = made({"head": head, "body": {"n": 1}, "Authorization": "Bearer sesame", "socketId": "s"}, reading)
    assert (found.key, found.args, found.priority) == ("7", '{"n":1}', 3)
    assert found.order_at == datetime(2026, 6, 1, 8, tzinfo=UTC)
    assert found.expires_at == NOW + timedelta(seconds=90)
    assert found.envelope == {"socketId": "s", "head.reply": "q"}
    assert json.loads(found.secrets or "") == {"Authorization": "Bearer sesame", "head.token": "vault"}
    assert found.on_duplicate == "anew"


def test_secrets_are_in_no_argument() -> None:
    reading = Reading(secret_fields=("Authorization", "body.token", "body.none", "none.at.all", "key.of.text"))
    found = made({"key": "k", "Authorization": "sesame", "body": {"token": "vault", "n": 1}}, reading)
    assert json.loads(found.args) == {"key": "k", "body": {"n": 1}}
    assert "sesame" not in found.args and json.loads(found.secrets or "") == {
        "Authorization": "sesame",
        "body.token": "vault",
    }
    one = message({"key": "k", "Authorization": "sesame"})
    read_of_it = read(reading, one)
    assert read_of_it.whole == {"key": "k", "Authorization": "sesame"} and read_of_it.content == {"key": "k"}
    assert "sesame" not in repr(read_of_it)


def test_the_inbox_may_know_the_key_and_the_moment() -> None:
    found = made({"key": "k", "n": 1}, key="other", order_at=NOW - timedelta(days=1), envelope={"to": "A"})
    assert (found.key, found.order_at, found.envelope) == ("other", NOW - timedelta(days=1), {"to": "A"})


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "it is no JSON in UTF-8: Expecting value"),
        (b"{", "it is no JSON in UTF-8"),
        (b'{"key": "\xff"}', "it is no JSON in UTF-8: 'utf-8' codec can't decode"),
        (b'{"key": NaN}', "it is no JSON in UTF-8: NaN is no number in JSON"),
        (b'{"key": "k", "n": -Infinity}', "-Infinity is no number in JSON"),
        (b'{"key": ' + b"9" * 5_000 + b"}", "a number has 5,000 digits"),
        (b"[" * 100_000, "it is no JSON in UTF-8: its parts lie too deep"),
        (json.dumps({"key": "k", "deep": json.loads("[" * 150 + "]" * 150)}).encode(), "more than 100 levels deep"),
        (b"[1]", "it is a list, and an object is wanted"),
        (b'"text"', "it is a text, and an object is wanted"),
        (b"7", "it is a number, and an object is wanted"),
        (b"true", "it is true or false, and an object is wanted"),
        (b"null", "it is null, and an object is wanted"),
        ({"n": 1}, "it has no key: give the item's key there, a text or a whole number"),
        ({"key": None}, "it has no key: give the item's key there, a text or a whole number"),
        ({"key": {"a": [1]}}, "its key is an object, and the item's key is a text or a whole number"),
        ({"key": 1.5}, "its key is a number, and the item's key is a text or a whole number"),
        ({"key": True}, "its key is true or false, and the item's key is a text or a whole number"),
        ({"key": ""}, "its key cannot be taken: give a text that is not empty"),
        ({"key": " k"}, "its key cannot be taken: give a text without line feeds"),
        ({"key": "a\nb"}, "its key cannot be taken: give a text without line feeds"),
        ({"key": "half \ud800"}, "its key cannot be taken"),
        ({"key": "k" * 256}, "its key cannot be taken: it has 256 characters: give 255 at most"),
        ({"key": "k", "n": float("1e400")}, "it is no JSON in UTF-8: Infinity is no number"),
        (b'{"key": "k", "n": 1e400}', "its args cannot be taken: give JSON values alone"),
    ],
)
def test_what_is_no_item_says_why(content: Any, says: str) -> None:
    found = refused(content)
    assert says in found.reason and str(found) == found.reason and found.code == "malformed"


def test_a_key_of_255_characters_of_any_kind_is_one() -> None:
    assert made({"key": SNAIL * 255}).key == SNAIL * 255
    assert refused({"key": SNAIL * 256}).key == SNAIL * 255
    assert made({"key": -7}).key == "-7"


def test_a_message_that_is_too_large_is_not_looked_at() -> None:
    reading = Reading(most_bytes=20)
    assert made(b'{"key": "k"}        ', reading).key == "k"
    found = refused(b'{"key": "k"}         ', reading)
    assert (found.reason, found.code) == ("it has 21 bytes, and 20 are taken at most", "too large")
    assert refused(b"{" * (MOST_BYTES + 1)).code == "too large"


@pytest.mark.parametrize(
    ("given", "moment"),
    [
        ("2026-07-01T12:00:01Z", NOW + timedelta(seconds=1)),
        ("2026-07-01T12:00:01", NOW + timedelta(seconds=1)),
        ("2026-07-01T14:00:01+02:00", NOW + timedelta(seconds=1)),
        (NOW.timestamp() + 1, NOW + timedelta(seconds=1)),
        (int(NOW.timestamp()) + 1, NOW + timedelta(seconds=1)),
    ],
)
def test_a_moment_may_be_written_in_ways(given: Any, moment: datetime) -> None:
    reading = Reading(expires_field="until", order_field="until")
    found = made({"key": "k", "until": given}, reading)
    assert found.expires_at == found.order_at == moment


@pytest.mark.parametrize("given", ["soon", "", True, [], {}, 1e30, -1e30, "9999-12-31T23:59:59-14:00", "2026-13-01"])
def test_what_is_no_moment_is_refused(given: Any) -> None:
    for reading in (Reading(expires_field="until"), Reading(order_field="until")):
        found = refused({"key": "k", "until": given}, reading)
        assert found.reason == "its until is no moment: give 2027-01-01T00:00:00Z, or seconds since 1970"


def test_what_is_not_given_has_no_end() -> None:
    reading = Reading(expires_field="until", timeout_field="timeout", priority_field="priority", order_field="at")
    found = made({"key": "k", "until": None, "timeout": None, "priority": None, "at": None}, reading)
    assert (found.expires_at, found.priority, found.order_at) == (None, 0, NOW)
    both = made({"key": "k", "until": "2027-01-01T00:00:00Z", "timeout": 1}, reading)
    assert both.expires_at == datetime(2027, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(("given", "seconds"), [(90, 90.0), (0.5, 0.5), ("90", 90.0)])
def test_a_time_limit_counts_from_now(given: Any, seconds: float) -> None:
    found = made({"key": "k", "timeout": given}, Reading(timeout_field="timeout"))
    assert found.expires_at == NOW + timedelta(seconds=seconds)


@pytest.mark.parametrize("given", [-1, "soon", True, [], 10**400, float("1e300"), "nan"])
def test_what_is_no_number_of_seconds_is_refused(given: Any) -> None:
    found = refused(json.dumps({"key": "k", "timeout": given}).encode(), Reading(timeout_field="timeout"))
    assert found.reason == "its timeout is no number of seconds between 0 and ten years"


def test_an_item_whose_time_is_over_is_none() -> None:
    for content, reading in (
        ({"key": "k", "timeout": 0}, Reading(timeout_field="timeout")),
        ({"key": "k", "until": "2026-07-01T12:00:00Z"}, Reading(expires_field="until")),
    ):
        found = refused(content, reading)
        assert (found.reason, found.code, found.key) == (
            "its time was over at 2026-07-01 12:00:00 UTC",
            "expired",
            "k",
        )


@pytest.mark.parametrize("given", ["high", 1.5, True, 2**31, -(2**31)])
def test_a_priority_is_a_whole_number(given: Any) -> None:
    found = refused({"key": "k", "priority": given}, Reading(priority_field="priority"))
    assert found.reason.startswith("its priority cannot be taken: give a whole number") and found.key == "k"
    assert made({"key": "k", "priority": 2**31 - 1}, Reading(priority_field="priority")).priority == 2**31 - 1


def test_arguments_are_an_object() -> None:
    for body, kind in ((None, "null"), ([1], "a list"), ("x", "a text"), (1, "a number"), (False, "true or false")):
        found = refused({"key": "k", "body": body}, Reading(args_field="body"))
        assert (found.reason, found.key) == (f"its body is {kind}, and an object is wanted", "k")


def test_paths_lead_into_objects_alone() -> None:
    content = {"a": {"b": {"c": 1}}, "list": [1]}
    assert (at_path(content, "a.b.c"), at_path(content, "a.b"), at_path(content, "list.0")) == (1, {"c": 1}, None)
    assert at_path(content, "a.x") is at_path(None, "a") is at_path(content, "") is None


@pytest.mark.parametrize(
    "text",
    [
        '{"Authorization": "sesame-17", "n": 1',
        "{'Authorization': 'sesame-17'",
        "Authorization: Bearer sesame-17, n: 1",
        "authorization=sesame-17",
        '{"body": {"Authorization" : "sesame-17',
        '{"Authorization": "sesame\\"-17", "n"',
        '{"Authorization": {"user": "u", "token": "sesame-17"}, "n": 1',
        '{"Authorization": ["a]", {"b": "}"}, "sesame-17"], "n": 1',
        '{"Authorization": {"user": "u", "token": "sesame-17',
        "{'Authorization': {'user': 'u}', 'token': 'sesame-17'}",
    ],
)
def test_what_looks_like_a_secret_is_not_kept_of_a_message_that_cannot_be_read(text: str) -> None:
    kept = without_secrets(text, Reading(secret_fields=("body.Authorization",)))
    assert "-17" not in kept and "****" in kept
    assert ('"n": 1' in kept) == ('"n": 1' in text) and ("n: 1" in kept) == ("n: 1" in text)


def test_a_mark_stands_in_place_of_each_secret_of_a_message_that_was_read() -> None:
    reading = Reading(secret_fields=("token", "body.auth", "body.none"))
    found = read(reading, Message(b'{"key": "k", "token": "t", "body": {"auth": {"user": "u"}, "n": 1}}'))
    assert with_marks(found) == {"key": "k", "token": "****", "body": {"auth": "****", "n": 1}}
    assert found.content == {"key": "k", "body": {"n": 1}}
