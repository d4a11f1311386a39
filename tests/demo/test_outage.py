"""The demo's broker goes away and comes back, and the demo's inbox takes the notice of it."""

import json
from pathlib import Path

import pytest
import urllib3

from janitor.demo.inbox import open_inbox
from janitor.demo.outage import FIRST_SECONDS, LONGEST_SECONDS, SETTLED_SECONDS, Outage
from janitor.errors import Rejected
from janitor.publisher.to_folder import check_folder

TOLD = {"kind": "began", "rule": "failed", "subject": "publisher failed", "sentence": "publisher: cannot write"}


def test_the_broker_is_away_until_a_notice_came(tmp_path: Path) -> None:
    folder = tmp_path / "messages"
    folder.mkdir()
    (folder / "one.avro").write_bytes(b"one")
    with open_inbox() as inbox:
        outage = Outage(folder, inbox, None)
        assert outage.step(FIRST_SECONDS - 0.1) == "" and check_folder(folder)
        assert outage.step(FIRST_SECONDS).endswith("goes away")
        with pytest.raises(Rejected, match="cannot write a message file"):
            check_folder(folder)
        assert outage.step(FIRST_SECONDS + 5) == "" and inbox.news() == []
        answer = urllib3.request("POST", inbox.url, body=json.dumps(TOLD).encode())
        assert answer.status == 204 and inbox.received == [TOLD]
        assert inbox.news() == ["notice: publisher failed (publisher: cannot write)"] and inbox.news() == []
        assert outage.step(FIRST_SECONDS + 6) == ""
        assert outage.step(FIRST_SECONDS + 6 + SETTLED_SECONDS) == "the broker is back"
    assert [path.name for path in folder.iterdir()] == ["one.avro"] and check_folder(folder)


def test_the_broker_comes_back_without_a_notice_too(tmp_path: Path) -> None:
    folder = tmp_path / "messages"
    folder.mkdir()
    with open_inbox() as inbox:
        outage = Outage(folder, inbox, 20.0)
        assert outage.step(5.9) == "" and outage.step(6.0) and not folder.is_dir()
        assert outage.step(6.0 + LONGEST_SECONDS) == "the broker is back" and folder.is_dir()
        assert outage.end() == ""
        again = Outage(folder, inbox, 20.0)
        again.step(6.0)
        assert again.end() == "the broker is back" and folder.is_dir()
