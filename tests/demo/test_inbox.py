"""The demo's inbox: it takes notices over HTTP, and tells each of them once."""

import json
from typing import Any

import urllib3

from janitor.demo.inbox import Inbox, open_inbox

TOLD = {"kind": "began", "rule": "failed", "subject": "publisher failed", "sentence": "publisher: cannot write"}


def post(inbox: Inbox, told: Any) -> None:
    """Send a notice to the inbox."""
    assert urllib3.request("POST", inbox.url, body=json.dumps(told).encode()).status == 204


def test_a_notice_is_kept_and_told_once() -> None:
    with open_inbox() as inbox:
        post(inbox, TOLD)
        assert inbox.received == [TOLD]
        assert inbox.news() == ["notice: publisher failed (publisher: cannot write)"] and inbox.news() == []


def test_each_notice_of_a_digest_is_kept() -> None:
    other = {**TOLD, "subject": "copy failed"}
    with open_inbox() as inbox:
        post(inbox, TOLD)
        post(inbox, {"kind": "digest", "subject": "2 notices", "sentence": "janitor: 2", "notices": [other, TOLD]})
        assert inbox.received == [TOLD, other, TOLD] and len(inbox.news()) == 3
