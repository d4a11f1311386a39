"""Webhooks, at a real web server: each format as its receiver documents it, and the words for a failure."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from janitor.notices.channel import Undelivered
from janitor.notices.content import Content, digest
from janitor.notices.post import MOST_TOGETHER
from janitor.notices.slack import slack
from janitor.notices.teams import teams
from tests.notices.contents import CONTENT, ENDED, only, sent
from tests.outside import Hooks


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


def test_any_other_webhook_gets_plain_values(hooks: Hooks) -> None:
    body = sent(hooks, only(WEBHOOK_URL=f"{hooks.url}/hook"))
    assert (body["kind"], body["rule"], body["job"], body["run"]) == ("began", "failed", "copy", 9)
    assert (body["counts"], body["began_at"]) == ({"rows": 3}, "2026-07-01T12:00:00+00:00")


@pytest.mark.parametrize("name", ["SLACK_URL", "TEAMS_URL", "WEBHOOK_URL", "PAGERDUTY_KEY"])
def test_an_address_that_is_replaced_in_its_file_counts_at_once(hooks: Hooks, name: str, tmp_path: Path) -> None:
    # Given: a channel whose secret is in a file. What happens: the file gets another one, and later is emptied.
    # What must hold: each notice goes with the newest that could be right, without a restart.
    def write(secret: str) -> None:
        (tmp_path / "secret").write_text(f"{hooks.url}/{secret}\n" if secret else "", encoding="utf-8")

    def used() -> str:
        channel.send(CONTENT)
        sent_last = hooks.requests[-1]
        return str(json.loads(sent_last.body)["routing_key"]) if name == "PAGERDUTY_KEY" else sent_last.path

    write("old-secret")
    channel = only(**{f"{name}_FILE": str(tmp_path / "secret"), "PAGERDUTY_URL": hooks.url})
    assert used().endswith("/old-secret")
    for secret in ("new-secret", ""):
        write(secret)
        assert used().endswith("/new-secret")


@pytest.mark.parametrize(("status", "final"), [(500, False), (429, False), (404, False), (302, False), (400, True)])
def test_a_refusal_is_told_without_the_address(hooks: Hooks, status: int, final: bool) -> None:
    hooks.answers = [status]
    with pytest.raises(Undelivered, match=f"it answered {status}: so it is") as caught:
        only(WEBHOOK_URL=f"{hooks.url}/secret-path").send(CONTENT)
    assert caught.value.final == final and "secret" not in str(caught.value) and len(hooks.requests) == 1
