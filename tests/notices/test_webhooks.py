"""Webhooks, at a real web server: each format as its receiver documents it, and the words for a failure."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import SecretStr

from janitor.notices.channel import Channel, Undelivered
from janitor.notices.channels import channels_of
from janitor.notices.content import Content, digest, from_json, to_json
from janitor.notices.pagerduty import pagerduty
from janitor.notices.post import MOST_TOGETHER
from janitor.notices.slack import SECTION, slack
from janitor.notices.teams import teams
from janitor.settings import Settings
from tests.notices.test_mail import CONTENT, NOON
from tests.outside import Hooks

ENDED = replace(CONTENT, kind="ended", at=NOON + timedelta(minutes=90), over="run 10 succeeded")


@pytest.fixture
def hooks() -> Iterator[Hooks]:
    """Give a web server that accepts everything."""
    with Hooks().open() as hooks:
        yield hooks


def only(**environ: str) -> Channel:
    (channel,) = channels_of(Settings.load(environ, dotenv=None))
    return channel


def sent(hooks: Hooks, channel: Channel, content: Any = CONTENT) -> Any:
    channel.send(content)
    request = hooks.requests.pop()
    assert request.content_type == "application/json"
    return request.json


def test_slack_gets_blocks_with_its_signs_escaped(hooks: Hooks) -> None:
    body = sent(hooks, only(SLACK_URL=f"{hooks.url}/services/T0/B1/x"))
    assert body["text"] == "copy failed" and {block["type"] for block in body["blocks"]} == {"section"}
    whole = "\n".join(block["text"]["text"] for block in body["blocks"])
    assert "disk &lt;full&gt; &amp; cold" in whole and "<full>" not in whole
    assert "<https://janitor.example.org/runs/9|run 9>" in whole and "```12:00:01 INFO größer &lt;b&gt;```" in whole


@settings(max_examples=30)
@given(st.text(max_size=40), st.integers(1, 200))
def test_slack_never_gets_too_long_a_section(text: str, times: int) -> None:
    content = replace(CONTENT, text=text * times, error=text * times, log=[text * times] * 3)
    for block in slack(content)["blocks"]:
        whole = block["text"]["text"]
        assert 0 < len(whole) <= 3000 and SECTION < 3000
        assert not whole.startswith("```") or (whole.endswith("```") and len(whole) > 5)


def test_teams_gets_an_adaptive_card(hooks: Hooks) -> None:
    body = sent(hooks, only(TEAMS_URL=f"{hooks.url}/workflows/x"), ENDED)
    (attachment,) = body["attachments"]
    assert (body["type"], attachment["contentType"]) == ("message", "application/vnd.microsoft.card.adaptive")
    card = attachment["content"]
    assert (card["type"], card["version"]) == ("AdaptiveCard", "1.4")
    assert (
        card["body"][0]["text"] == "copy recovered"
        and card["body"][1]["inlines"][0]["text"] == "copy: run 10 succeeded"
    )
    facts = {fact["title"]: fact["value"] for fact in card["body"][2]["facts"]}
    assert facts["until"] == "2026-07-01 13:30:00 UTC, for 1 h 30 min"
    assert card["actions"][0] == {
        "type": "Action.OpenUrl",
        "title": "run 9",
        "url": "https://janitor.example.org/runs/9",
    }


def test_a_digest_is_one_message_with_each_notice(hooks: Hooks) -> None:
    other = replace(ENDED, key="janitor-1-8", job="clean")
    both = digest([CONTENT, other])
    whole = "\n".join(one["text"]["text"] for one in sent(hooks, only(SLACK_URL=hooks.url), both)["blocks"])
    assert whole.startswith("*2 notices: copy failed, clean recovered*") and "/runs/9|run 9>" in whole
    assert ":rotating_light: *copy failed*" in whole and ":white_check_mark: *clean recovered*" in whole
    assert "disk &lt;full&gt;" in whole and "größer &lt;b&gt;```" in whole
    card = sent(hooks, only(TEAMS_URL=hooks.url), both)["attachments"][0]["content"]
    assert [one.get("text") for one in card["body"][:2]] == ["2 notices: copy failed, clean recovered", "copy failed"]
    assert [one["color"] for one in card["body"] if "color" in one] == ["Attention", "Attention", "Good"]
    assert json.dumps(card).count('"url": "https://janitor.example.org/runs/9"') == 2 and "actions" not in card
    plain = sent(hooks, only(WEBHOOK_URL=hooks.url), both)
    assert plain["kind"] == "digest" and plain["subject"] == "2 notices: copy failed, clean recovered"
    assert [(one["key"], one["kind"], one["job"]) for one in plain["notices"]] == [
        ("janitor-1-7", "began", "copy"),
        ("janitor-1-8", "ended", "clean"),
    ]
    assert "notices" not in sent(hooks, only(WEBHOOK_URL=hooks.url))


@pytest.mark.parametrize("render", [slack, teams])
def test_no_digest_is_longer_than_its_taker_takes(render: Callable[[Content], Any]) -> None:
    one = replace(CONTENT, text="&" * 300, error="&" * 2000, log=["&" * 500] * 20)
    made = render(digest([replace(one, job="job" * 60)] * MOST_TOGETHER))
    texts = [each["text"]["text"] for each in made.get("blocks", [])]
    assert len(texts) <= 50 and all(0 < len(text) <= 3000 for text in texts)
    assert render is slack or len(json.dumps(made)) < 28_000


def test_who_gets_digests() -> None:
    found = {"SLACK_URL": True, "TEAMS_URL": True, "WEBHOOK_URL": True}
    assert {name: only(**{name: "https://x.example/"}).together for name in found} == found
    assert not only(PAGERDUTY_KEY="k" * 32).together, "an incident is keyed by its notice"


def test_pagerduty_gets_an_incident_and_its_end(hooks: Hooks) -> None:
    channel = only(PAGERDUTY_KEY="0123456789abcdef", PAGERDUTY_URL=f"{hooks.url}/v2/enqueue")
    began, ended = sent(hooks, channel), sent(hooks, channel, ENDED)
    assert (began["event_action"], ended["event_action"]) == ("trigger", "resolve")
    assert began["dedup_key"] == ended["dedup_key"] == "janitor-1-7"
    assert began["routing_key"] == "0123456789abcdef"
    payload = began["payload"]
    assert (payload["severity"], payload["source"], payload["component"]) == ("error", "host7", "copy")
    assert payload["summary"] == "copy: failed: disk <full> & cold"
    assert "größer" in payload["custom_details"]["log"]
    assert began["links"][0]["href"] == "https://janitor.example.org/runs/9"


def test_any_other_webhook_gets_plain_values(hooks: Hooks) -> None:
    body = sent(hooks, only(WEBHOOK_URL=f"{hooks.url}/hook"))
    assert (body["kind"], body["rule"], body["job"], body["run"]) == ("began", "failed", "copy", 9)
    assert (body["counts"], body["began_at"]) == ({"rows": 3}, "2026-07-01T12:00:00+00:00")


@pytest.mark.slow
@settings(max_examples=30)
@given(st.text(), st.dictionaries(st.text(), st.integers() | st.text(), max_size=3), st.lists(st.text(), max_size=3))
def test_any_content_is_kept_and_rendered(text: str, counts: dict[str, Any], log: list[str]) -> None:
    content = replace(CONTENT, text=text, error=text, counts=counts, log=log)
    assert from_json(to_json(content)) == content
    for render in (slack, teams, lambda one: pagerduty(one, SecretStr("key"))):
        json.dumps(render(content))


@pytest.mark.parametrize(("status", "final"), [(500, False), (429, False), (404, False), (302, False), (400, True)])
def test_a_refusal_is_told_without_the_address(hooks: Hooks, status: int, final: bool) -> None:
    hooks.answers = [status]
    with pytest.raises(Undelivered, match=f"it answered {status}: so it is") as caught:
        only(WEBHOOK_URL=f"{hooks.url}/secret-path").send(CONTENT)
    assert caught.value.final == final and "secret" not in str(caught.value) and len(hooks.requests) == 1
