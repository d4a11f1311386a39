"""The verb `notices`: what is wrong and how channels work, as text and as JSON, and a try of each channel."""

import json

import pytest
from sqlalchemy import insert

from janitor.errors import BadSetting
from janitor.state.tables import notices as notice_table
from janitor.verbs.assembly import Assembly
from janitor.verbs.notices import notices
from tests.outside import Hooks
from tests.small_engine import now
from tests.verbs.house import done


def test_open_notices_are_listed_with_the_channels(assembly: Assembly, capsys: pytest.CaptureFixture[str]) -> None:
    assembly.given["SLACK_URL"] = "https://hooks.example.org/services/s3cret"
    open_one = {"rule": "failed", "job": "count", "text": "it failed", "began_at": now(), "told_at": now()}
    with assembly.state.begin() as connection:
        connection.execute(insert(notice_table), [{**open_one, "ended_at": None}, {**open_one, "ended_at": now()}])
    done(notices, assembly, "--json")
    found = json.loads(capsys.readouterr().out)
    assert [(one["job"], one["rule"]) for one in found["notices"]] == [("count", "failed")]
    assert [one["channel"] for one in found["channels"]] == ["slack"]
    done(notices, assembly)
    listed, channels = capsys.readouterr().out.split("\n\n")
    assert len(listed.splitlines()) == 2 and "it failed" in listed
    assert "slack" in channels and "s3cret" not in channels


@pytest.mark.parametrize(("answer", "code", "verdict"), [(200, 0, "ok"), (404, 1, "failed")])
def test_the_test_ends_with_how_the_channels_answer(
    assembly: Assembly, capsys: pytest.CaptureFixture[str], answer: int, code: int, verdict: str
) -> None:
    with Hooks(answers=[answer]).open() as hooks:
        assembly.given["SLACK_URL"] = f"{hooks.url}/services/s3cret"
        assert done(notices, assembly, "test") == code
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith(f"{verdict:<6}  slack to localhost") and "s3cret" not in line


def test_a_test_without_a_channel_is_refused(assembly: Assembly) -> None:
    with pytest.raises(BadSetting, match="none is set; give one or more of MAIL_HOST, SLACK_URL"):
        done(notices, assembly, "test")
