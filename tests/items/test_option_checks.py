"""Options of parts: a value that makes no sense is refused as the part is made."""

from pathlib import Path
from typing import Any

import pytest

from janitor.errors import BadSetting
from janitor.items import Reading
from janitor.items.forward import Forward
from janitor.items.inboxes import FolderInbox, RabbitInbox, SqsInbox, TableInbox
from janitor.items.option_checks import check_seconds
from janitor.items.replies import HttpReply, MailReply, SocketReply

NAN, INF = float("nan"), float("inf")
URL = "http://127.0.0.1:4000/"


def in_folder(**options: Any) -> FolderInbox:
    return FolderInbox("in", Path("/in"), **options)


def of_table(**options: Any) -> TableInbox:
    return TableInbox("in", "URL", "requests", **options)


@pytest.mark.parametrize(
    ("make", "option", "value", "expected"),
    [
        (in_folder, "poll_seconds", 0, "give a number of seconds from 0.001 to 604,800"),
        (in_folder, "poll_seconds", NAN, "give a number of seconds from 0.001"),
        (in_folder, "poll_seconds", INF, "give a number of seconds from 0.001"),
        (in_folder, "poll_seconds", True, "give a number of seconds from 0.001"),
        (in_folder, "poll_seconds", "5", "give a number of seconds from 0.001"),
        (of_table, "poll_seconds", -1, "give a number of seconds from 0.001"),
        (lambda folder: FolderInbox("in", folder), "folder", None, "give the path of a folder"),
        (lambda **more: HttpReply("r", URL, **more), "headers", ["A"], "give a mapping from header to variable"),
        (in_folder, "reading", {"key_field": "a"}, "give Reading(...), such as Reading(key_field"),
        (of_table, "reading", None, "give Reading(...), such as Reading(key_field"),
        (lambda **more: RabbitInbox("in", "q", **more), "reading", "key", "give Reading(...), such as"),
        (lambda **more: SqsInbox("in", "q", **more), "reading", "key", "give Reading(...), such as"),
        (of_table, "most", 0, "give a whole number from 1 to 1,000"),
        (of_table, "columns", "sample", "give a list of texts"),
        (lambda **more: RabbitInbox("in", "q", **more), "prefetch", 0, "give a whole number from 1 to 65,535"),
        (lambda **more: SqsInbox("in", "q", **more), "wait_seconds", 21, "give a whole number from 0 to 20"),
        (lambda **more: SqsInbox("in", "q", **more), "most_receives", 0, "give a whole number from 1 to 1,000"),
        (lambda **more: SqsInbox("in", "q", **more), "hidden_seconds", 1.5, "give a whole number from 10 to 43,200"),
        (lambda **more: Forward(URL, **more), "tries", 1.5, "give a whole number from 1 to 1,000"),
        (lambda **more: Forward(URL, **more), "most_bytes", -1, "give a whole number from 1 to 1,000,000,000"),
        (lambda **more: Forward(URL, **more), "connect_seconds", 0, "give a number of seconds from 0.001"),
        (lambda **more: Forward(URL, **more), "health_seconds", INF, "give a number of seconds from 0 to 604,800"),
        (lambda **more: HttpReply("r", URL, **more), "answer_seconds", -1, "give a number of seconds from 0.001"),
        (lambda **more: HttpReply("r", url_at="at", **more), "hosts", "lab.example.org", "give a list of texts"),
        (lambda **more: MailReply("r", to_at="at", **more), "domains", "example.org", "give a list of texts"),
        (lambda **more: SocketReply("r", **more), "beat_seconds", -1, "give a number of seconds from 0 to 604,800"),
        (lambda **more: SocketReply("r", **more), "inline_bytes", -1, "give a whole number from 0"),
        (Reading, "secret_fields", "token", "give a list of texts"),
        (Reading, "envelope_fields", [7], "give a list of texts"),
        (Reading, "most_bytes", 0, "give a whole number from 1"),
        (Reading, "on_duplicate", "never", "give one of reply, ignore, change, anew"),
    ],
)
def test_a_value_that_makes_no_sense_is_refused(make: Any, option: str, value: object, expected: str) -> None:
    with pytest.raises(BadSetting) as caught:
        make(**{option: value})
    assert (caught.value.name, caught.value.value) == (option, value) or value != value
    assert caught.value.expected.startswith(expected)


def test_a_limit_itself_is_taken() -> None:
    check_seconds("x", 0.001)
    check_seconds("x", 604_800)
    check_seconds("x", 0, 0)
    with pytest.raises(BadSetting):
        check_seconds("x", 604_801)
